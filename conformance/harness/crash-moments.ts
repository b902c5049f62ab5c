import { createHash, randomBytes } from "node:crypto";
import type { CrashLedger, UnansweredCompletion } from "./crash-ledger.ts";
import type { Moment } from "./crash-plan.ts";
import { isConnectionError } from "./crash-writers.ts";
import { deterministicBytes, deterministicSize } from "./deterministic-bytes.ts";
import type { KelpServer } from "./kelp-server.ts";
import { KeptDoor } from "./kept-door.ts";

export const CRASH_BUCKET = "crash-bucket";
/** Rounds whose objects are kept at least. */
export const KEPT_ROUNDS = 8;
const UPLOADS = 2;
const PART_BYTES = 5 * 1024 * 1024;

/** Work that the server is killed in: got ready first, then begun; then it runs until it is done or the server gone. */
export type Begin = () => Promise<void>;

/** Resolves when the work can begin; resolves with nothing when the round has none. */
export async function readyFor(
  moment: Moment,
  server: KelpServer,
  ledger: CrashLedger,
): Promise<Begin | undefined> {
  if (moment === "completing") return readyToComplete(server, ledger);
  if (moment === "vacuuming") return () => vacuumAll(server);
  if (moment === "removing") return () => removeOld(server, ledger);
  if ((moment === "snapshot" || moment === "clone") && ledger.round > 0) {
    return () => copyBucket(server, ledger, moment);
  }
  return undefined;
}

/** Of the console's API. Rejects with an error of the connection, or with what was answered unless it is a success. */
export async function callConsole(
  server: KelpServer,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  const response = await fetch(`${server.consoleUrl}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${server.credentials.console_token}`,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (response.ok) return response;
  throw new Error(`${method} ${path} was answered ${response.status}: ${await response.text()}`);
}

/** An empty answer of the server's death is told by its error alone. */
export function doorTo(server: KelpServer): KeptDoor {
  const { access_key, secret_key } = server.credentials;
  return new KeptDoor(server.s3Url, { id: access_key, secret: secret_key });
}

async function readyToComplete(server: KelpServer, ledger: CrashLedger): Promise<Begin> {
  const uploads = await Promise.all(
    Array.from({ length: UPLOADS }, async (_, number) => {
      using door = doorTo(server);
      return await beginUpload(door, `round-${ledger.round}/upload-completed-${number}`);
    }),
  );
  return async () => {
    ledger.completions.push(...uploads);
    await Promise.all(uploads.map((upload) => complete(server, ledger, upload)));
  };
}

async function beginUpload(door: KeptDoor, key: string): Promise<UnansweredCompletion> {
  const path = `/${CRASH_BUCKET}/${key}`;
  const begun = await door.send({ method: "POST", path, query: "uploads=" });
  const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec(begun.body.toString())?.[1] ?? "";
  const bytes = deterministicBytes(key, deterministicSize(key));
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    const part = Buffer.from(bytes.subarray(at, at + PART_BYTES));
    const number = parts.length + 1;
    const query = `partNumber=${number}&uploadId=${uploadId}`;
    const { status } = await door.send({ method: "PUT", path, query }, part);
    if (status !== 200) throw new Error(`a part was answered ${status}`);
    const etag = createHash("md5").update(part).digest("hex");
    parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`);
  }
  const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
  return { key, uploadId, body };
}

/** Completes it, again when it was asked for before, and notes that it must be there. */
export async function complete(
  server: KelpServer,
  ledger: CrashLedger,
  upload: UnansweredCompletion,
): Promise<void> {
  using door = doorTo(server);
  const path = `/${CRASH_BUCKET}/${upload.key}`;
  const query = `uploadId=${upload.uploadId}`;
  const answer = await door.send({ method: "POST", path, query }, Buffer.from(upload.body));
  const text = answer.body.toString();
  if (answer.status !== 200 || !text.includes("CompleteMultipartUploadResult")) {
    throw new Error(`completing ${upload.key} was answered ${answer.status}: ${text}`);
  }
  ledger.present.add(upload.key);
  ledger.completions = ledger.completions.filter(({ key }) => key !== upload.key);
}

/** One volume after another, whatever is in it. */
async function vacuumAll(server: KelpServer): Promise<void> {
  const answer = await callConsole(server, "GET", "/volumes");
  const { volumes } = (await answer.json()) as { volumes: { id: number }[] };
  for (const { id } of volumes.toReversed()) {
    await callConsole(server, "POST", `/volumes/${id}/vacuum`, {});
  }
}

async function copyBucket(
  server: KelpServer,
  ledger: CrashLedger,
  kind: "snapshot" | "clone",
): Promise<void> {
  const name = `${kind}-${ledger.round}-${randomBytes(3).toString("hex")}`;
  const prefix = `round-${ledger.round - 1}/`;
  const asked = { kind, name, prefix, isAcknowledged: false };
  ledger.copies.push(asked);
  const route = `/buckets/${CRASH_BUCKET}/${kind === "snapshot" ? "snapshots" : "clone"}`;
  await callConsole(server, "POST", route, { name });
  ledger.copies = ledger.copies.map((copy) =>
    copy === asked ? { ...copy, isAcknowledged: true } : copy,
  );
}

/** All that rounds long ago have written. */
async function removeOld(server: KelpServer, ledger: CrashLedger): Promise<void> {
  const end = ledger.round - KEPT_ROUNDS;
  for (let round = ledger.oldestRound; round < end; round++) {
    await removePrefix(server, ledger, `round-${round}/`);
    ledger.oldestRound = round + 1;
  }
}

/** Removes a folder, again when it was asked for before. */
export async function removePrefix(
  server: KelpServer,
  ledger: CrashLedger,
  prefix: string,
): Promise<void> {
  if (!ledger.removing.includes(prefix)) ledger.removing.push(prefix);
  // Gone on with from here, it must be known that these may be away.
  ledger.save();
  const query = new URLSearchParams({ prefix }).toString();
  await callConsole(server, "DELETE", `/buckets/${CRASH_BUCKET}/objects?${query}`);
  ledger.removed(prefix);
}

/** Whether it was the end of the server that ended the work. */
export function isServerGone(error: unknown): boolean {
  if (isConnectionError(error)) return true;
  return error instanceof Error && /cut off|socket|aborted|ECONN|closed/i.test(error.message);
}
