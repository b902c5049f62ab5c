import type {
  BucketMessage,
  IdentityMessage,
  NewKeyMessage,
  ObjectInfoMessage,
  ObjectPageMessage,
  OverviewMessage,
  SessionMessage,
  SignIn,
  SnapshotMessage,
} from "@kelp/wire/management";
import { ApiError, requestJson, withQuery } from "./http.ts";

const bucketPath = (bucket: string): string => `/api/v1/buckets/${encodeURIComponent(bucket)}`;
const identityPath = (name: string): string => `/api/v1/identities/${encodeURIComponent(name)}`;
const keyPath = (name: string, key: string): string =>
  `${identityPath(name)}/keys/${encodeURIComponent(key)}`;

/** `null`: nobody is signed in. */
export async function fetchSession(): Promise<SessionMessage | null> {
  try {
    return await requestJson<SessionMessage>("/api/v1/session");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export function signIn(body: SignIn): Promise<SessionMessage> {
  return requestJson("/api/v1/session", { method: "POST", body });
}

export function signOut(): Promise<unknown> {
  return requestJson("/api/v1/session", { method: "DELETE" });
}

export function fetchOverview(): Promise<OverviewMessage> {
  return requestJson("/api/v1/overview");
}

export async function fetchBuckets(): Promise<readonly BucketMessage[]> {
  const answer = await requestJson<{ buckets: readonly BucketMessage[] }>("/api/v1/buckets");
  return answer.buckets;
}

export function createBucket(name: string): Promise<BucketMessage> {
  return requestJson("/api/v1/buckets", { method: "POST", body: { name } });
}

export function deleteBucket(name: string): Promise<unknown> {
  return requestJson(bucketPath(name), { method: "DELETE" });
}

export function setBucketQuota(
  name: string,
  quota: { readonly quota_bytes: number | null; readonly quota_objects: number | null },
): Promise<BucketMessage> {
  return requestJson(`${bucketPath(name)}/quota`, { method: "PUT", body: quota });
}

const snapshotPath = (bucket: string, name: string): string =>
  `${bucketPath(bucket)}/snapshots/${encodeURIComponent(name)}`;

export async function fetchSnapshots(bucket: string): Promise<readonly SnapshotMessage[]> {
  const answer = await requestJson<{ snapshots: readonly SnapshotMessage[] }>(
    `${bucketPath(bucket)}/snapshots`,
  );
  return answer.snapshots;
}

export function createSnapshot(bucket: string, name: string): Promise<SnapshotMessage> {
  return requestJson(`${bucketPath(bucket)}/snapshots`, { method: "POST", body: { name } });
}

export function deleteSnapshot(bucket: string, name: string): Promise<unknown> {
  return requestJson(snapshotPath(bucket, name), { method: "DELETE" });
}

export interface ListQuery {
  readonly prefix?: string | undefined;
  readonly delimiter?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

export function fetchObjects(bucket: string, query: ListQuery): Promise<ObjectPageMessage> {
  return requestJson(withQuery(`${bucketPath(bucket)}/objects`, { ...query }));
}

export function fetchObjectInfo(bucket: string, key: string): Promise<ObjectInfoMessage> {
  return requestJson(withQuery(`${bucketPath(bucket)}/object/info`, { key }));
}

/** Address of an object's bytes at this door. */
export function objectAddress(bucket: string, key: string): string {
  return withQuery(`${bucketPath(bucket)}/object`, { key });
}

export function downloadAddress(bucket: string, key: string): string {
  return withQuery(`${bucketPath(bucket)}/object`, { key, download: 1 });
}

export function deleteObject(bucket: string, key: string): Promise<unknown> {
  return requestJson(objectAddress(bucket, key), { method: "DELETE" });
}

export async function fetchIdentities(): Promise<readonly IdentityMessage[]> {
  const answer = await requestJson<{ identities: readonly IdentityMessage[] }>(
    "/api/v1/identities",
  );
  return answer.identities;
}

export function putIdentity(
  name: string,
  body: { readonly actions: readonly string[]; readonly is_disabled?: boolean },
): Promise<IdentityMessage> {
  return requestJson(identityPath(name), { method: "PUT", body });
}

export function deleteIdentity(name: string): Promise<unknown> {
  return requestJson(identityPath(name), { method: "DELETE" });
}

export function createKey(name: string): Promise<NewKeyMessage> {
  return requestJson(`${identityPath(name)}/keys`, { method: "POST", body: {} });
}

export function setKeyActive(name: string, key: string, isActive: boolean): Promise<unknown> {
  return requestJson(keyPath(name, key), { method: "PUT", body: { is_active: isActive } });
}

export function deleteKey(name: string, key: string): Promise<unknown> {
  return requestJson(keyPath(name, key), { method: "DELETE" });
}
