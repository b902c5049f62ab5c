import { expect } from "bun:test";
import type { BucketCopy, CrashLedger } from "./crash-ledger.ts";
import { CRASH_BUCKET, callConsole, complete, removePrefix } from "./crash-moments.ts";
import { isOwn, readObjects } from "./crash-reader.ts";
import type { KelpServer } from "./kelp-server.ts";

export function clientOf(server: KelpServer, bucket: string): Bun.S3Client {
  const { access_key, secret_key } = server.credentials;
  return new Bun.S3Client({
    endpoint: server.s3Url,
    bucket,
    accessKeyId: access_key,
    secretAccessKey: secret_key,
    retry: 0,
  });
}

/** Compares what begins with one of the prefixes with what was acknowledged. */
export async function verifyObjects(
  server: KelpServer,
  ledger: CrashLedger,
  prefixes: readonly string[],
  mode: "read" | "list",
): Promise<void> {
  const read = await readObjects(clientOf(server, CRASH_BUCKET), prefixes, mode);
  const nothing = { lost: [], foreign: [], wentBack: [], cameBack: [] };
  expect(ledger.compare(read, prefixes)).toEqual(nothing);
}

/** What was asked for and not answered is done or not, never half; asked for again it is done. */
export async function settleUnanswered(server: KelpServer, ledger: CrashLedger): Promise<void> {
  for (const prefix of ledger.removing) await settleRemoval(server, ledger, prefix);
  for (const upload of ledger.completions) await complete(server, ledger, upload);
  for (const copy of ledger.copies) await verifyCopy(server, copy);
  ledger.copies = [];
}

async function settleRemoval(
  server: KelpServer,
  ledger: CrashLedger,
  prefix: string,
): Promise<void> {
  const { listed } = await readObjects(clientOf(server, CRASH_BUCKET), [prefix], "list");
  if (listed.size > 0) {
    const lost = [...ledger.present].filter((key) => key.startsWith(prefix) && !listed.has(key));
    expect(lost).toEqual([]);
  }
  await removePrefix(server, ledger, prefix);
  const { listed: left } = await readObjects(clientOf(server, CRASH_BUCKET), [prefix], "list");
  expect([...left]).toEqual([]);
}

/** A copy holds what the bucket holds of a round that was over when it was made; then it is removed. */
async function verifyCopy(server: KelpServer, copy: BucketCopy): Promise<void> {
  const { listed } = await readObjects(clientOf(server, CRASH_BUCKET), [copy.prefix], "list");
  const keys =
    copy.kind === "clone" ? await clonedKeys(server, copy) : await keptKeys(server, copy);
  if (keys === undefined) {
    expect({ copy, isThere: false }).toEqual({ copy, isThere: copy.isAcknowledged });
    return;
  }
  expect([...keys].sort()).toEqual([...listed].sort());
  const path =
    copy.kind === "clone"
      ? `/buckets/${copy.name}?force=true`
      : `/buckets/${CRASH_BUCKET}/snapshots/${copy.name}`;
  await callConsole(server, "DELETE", path);
}

/** `undefined` when there is no such bucket. */
async function clonedKeys(
  server: KelpServer,
  copy: BucketCopy,
): Promise<ReadonlySet<string> | undefined> {
  const answer = await callConsole(server, "GET", "/buckets");
  const { buckets } = (await answer.json()) as { buckets: { name: string }[] };
  if (!buckets.some(({ name }) => name === copy.name)) return undefined;
  const read = await readObjects(clientOf(server, copy.name), [copy.prefix], "read");
  expect(read.foreign).toEqual([]);
  return read.listed;
}

/** `undefined` when there is no such snapshot. */
async function keptKeys(
  server: KelpServer,
  copy: BucketCopy,
): Promise<ReadonlySet<string> | undefined> {
  const root = `/buckets/${CRASH_BUCKET}`;
  const answer = await callConsole(server, "GET", `${root}/snapshots`);
  const { snapshots } = (await answer.json()) as { snapshots: { name: string }[] };
  if (!snapshots.some(({ name }) => name === copy.name)) return undefined;
  const keys = new Set<string>();
  let after: string | null = "";
  while (after !== null) {
    const query = new URLSearchParams({ prefix: copy.prefix, snapshot: copy.name });
    if (after !== "") query.set("after", after);
    const listed = await callConsole(server, "GET", `${root}/objects?${query.toString()}`);
    const page = (await listed.json()) as { items: { key: string }[]; next: string | null };
    for (const { key } of page.items) keys.add(key);
    after = page.next;
  }
  for (const key of keys) {
    const query = new URLSearchParams({ key, snapshot: copy.name }).toString();
    const read = await callConsole(server, "GET", `${root}/object?${query}`);
    expect({ key, isOwn: isOwn(key, Buffer.from(await read.arrayBuffer())) }).toEqual({
      key,
      isOwn: true,
    });
  }
  return keys;
}
