import {
  type Body,
  type Clock,
  EMPTY_BYTES,
  type Semaphore,
  base64,
  unreachable,
} from "@kelp/base";
import {
  type FormField,
  FormReader,
  HttpError,
  type HttpReply,
  type HttpRequest,
  formBoundary,
  headerText,
  jsonReply,
  splitEtags,
} from "@kelp/base/http";
import {
  type Appends,
  type BodySummary,
  type Condition,
  type Entry,
  type EntryDescription,
  type EntryPath,
  type Filer,
  OBJECT_BYTES_MAX,
  parseTtl,
  ttlSeconds,
} from "@kelp/wire";
import type { Access } from "./access.ts";
import { attributesFromRequest } from "./attributes.ts";
import { changedContent, describedInPart } from "./changed-content.ts";
import { notFound, writeRefused } from "./explain-error.ts";
import {
  type FilePath,
  type FolderPath,
  ROOT_TREE,
  asFolder,
  inFolder,
  nameOf,
} from "./filer-path.ts";
import { findEntry, folderExists } from "./folder.ts";
import { WHOLE_BODY_BYTES_MAX } from "./limits.ts";
import type { PathLock } from "../chunk/path-lock.ts";

export interface WriteDeps {
  readonly filer: Filer & Appends;
  readonly clock: Pick<Clock, "nowMs">;
  /** Bounds small bodies in memory. */
  readonly bodies: Semaphore;
  readonly lock: PathLock;
}

/** PUT and POST of a file: raw, or as the file of a form. Durable when resolved. Throws `HttpError` and `FilerError`. */
export async function writeFile(
  deps: WriteDeps,
  request: HttpRequest,
  place: { readonly path: FilePath | FolderPath; readonly access: Access },
): Promise<HttpReply> {
  const boundary = formBoundary(headerText(request.headers, "content-type"));
  if (boundary === undefined) {
    const { path } = place;
    if (path.kind === "folder") throw new HttpError(400, "A folder takes files in forms only");
    place.access.require("write", path);
    return store(deps, request, {
      ...place,
      path,
      field: undefined,
      body: await rawBody(deps, request),
    });
  }
  await using form = new FormReader(request.body.stream(OBJECT_BYTES_MAX), boundary);
  const field = await fileField(form);
  const { path } = place;
  const target = path.kind === "file" ? path : inFolder(path, field.fileName ?? "");
  place.access.require("write", target);
  const reply = await store(deps, request, { ...place, path: target, field, body: form.content() });
  while ((await form.next()) !== undefined) {
    // One file a request: what follows it in the form is not kept.
  }
  return reply;
}

async function rawBody(deps: WriteDeps, request: HttpRequest): Promise<Body> {
  const { lengthBytes } = request.body;
  if (lengthBytes === 0) return EMPTY_BYTES;
  if (lengthBytes === undefined || lengthBytes > WHOLE_BODY_BYTES_MAX) {
    return request.body.stream(OBJECT_BYTES_MAX);
  }
  using held = await request.body.whole(WHOLE_BODY_BYTES_MAX, deps.bodies);
  return held.bytes;
}

/** The first field that is a file. */
async function fileField(form: FormReader): Promise<FormField> {
  for (let field = await form.next(); field !== undefined; field = await form.next()) {
    if (field.fileName !== undefined) return field;
  }
  throw new HttpError(400, "The form has no file");
}

interface Incoming {
  readonly path: FilePath;
  readonly access: Access;
  readonly field: FormField | undefined;
  readonly body: Body;
}

async function store(
  deps: WriteDeps,
  request: HttpRequest,
  incoming: Incoming,
): Promise<HttpReply> {
  const { path, field } = incoming;
  const { query, headers } = request;
  const name = nameOf(path.text);
  const attributes = attributesFromRequest({ headers, field, name, mode: query.text("mode") });
  const promised = headerText(headers, "content-md5") ?? field?.headers.get("content-md5");
  const lifetimeMs = ttlMs(query.text("ttl"));
  await refuseConflicts(deps.filer, path, query.isTrue("skipCheckParentDir"));
  const describe = (summary: BodySummary): EntryDescription => ({
    attributes,
    ...(lifetimeMs !== undefined && { expiresMs: deps.clock.nowMs() + lifetimeMs }),
    ...checked(summary, promised),
  });
  const isAppend = query.text("op") === "append";
  const offset = query.text("offset");
  const condition = writeCondition(request);
  if (!isAppend && offset === undefined) {
    const entry = await write(deps.filer, { ...incoming, describe, condition });
    return written(request, path, { entry, sizeBytes: entry.sizeBytes });
  }
  if (promised !== undefined) {
    throw new HttpError(400, "Content-MD5 says nothing of a file that is changed in part");
  }
  const growth = { ...incoming, describe, condition };
  if (isAppend && growsByChunks(await findEntry(deps.filer, path.tree, path.key))) {
    return append(deps.filer, request, growth);
  }
  const offsetBytes = isAppend
    ? undefined
    : query.count("offset", { min: 0, max: OBJECT_BYTES_MAX, absent: 0 });
  // Two changes at once would each leave out what the other did.
  return deps.lock.run(path.text, async () => {
    const before = await findEntry(deps.filer, path.tree, path.key);
    if (isAppend && growsByChunks(before)) return append(deps.filer, request, growth);
    // The write itself is bound to what was found here.
    if (!holds(condition, before)) throw conditionFailed();
    const changed = changedContent(deps.filer, { before, body: incoming.body, offsetBytes });
    const entry = await write(deps.filer, {
      ...incoming,
      body: changed.body,
      describe: (summary) => changed.describe(describe, summary),
      condition:
        before === undefined ? { kind: "absent" } : { kind: "position", position: before.position },
    });
    return written(request, path, { entry, sizeBytes: changed.addedBytes() });
  });
}

/** What is small is written anew with what is added, and keeps the hash of all its bytes; larger files go on with their chunks. */
function growsByChunks(before: Entry | undefined): boolean {
  return before?.content.kind === "chunks";
}

async function append(
  filer: Appends,
  request: HttpRequest,
  growth: Incoming & {
    readonly describe: (summary: BodySummary) => EntryDescription;
    readonly condition: Condition | undefined;
  },
): Promise<HttpReply> {
  const { path, body, describe, condition } = growth;
  let sizeBytes = 0;
  const result = await filer.appendFile({
    tree: path.tree,
    path: path.key,
    body,
    describe: (piece, before) => {
      if (!holds(condition, before)) throw conditionFailed();
      sizeBytes = piece.sizeBytes;
      return describedInPart(describe(piece), before);
    },
  });
  if (result.kind === "refused") throw writeRefused(result.refusal);
  return written(request, path, { entry: result.value, sizeBytes });
}

function conditionFailed(): HttpError {
  return new HttpError(412, "The condition does not hold");
}

async function write(
  filer: Filer,
  file: {
    readonly path: { readonly tree: FilePath["tree"]; readonly key: EntryPath };
    readonly body: Body;
    readonly describe: (summary: BodySummary) => EntryDescription;
    readonly condition: Condition | undefined;
  },
): Promise<Entry> {
  const { path, body, describe, condition } = file;
  await ensureTree(filer, path.tree);
  const result = await filer.writeFile({
    tree: path.tree,
    path: path.key,
    body,
    describe,
    ...(condition !== undefined && { condition }),
  });
  if (result.kind === "refused") throw writeRefused(result.refusal);
  return result.value;
}

/** The tree of what is in no bucket appears with its first use; a bucket must have been made. */
export async function ensureTree(filer: Filer, tree: FilePath["tree"]): Promise<void> {
  const found = await filer.getTree(tree);
  if (tree !== ROOT_TREE) {
    if (found?.kind !== "bucket") throw new HttpError(404, "There is no such bucket");
    return;
  }
  if (found !== undefined) return;
  // Somebody else may have made it meanwhile, which is as good.
  await filer.createTree({ name: ROOT_TREE, kind: "root", owner: "root" });
}

function written(
  request: HttpRequest,
  path: FilePath,
  told: { readonly entry: Entry; readonly sizeBytes: number },
): HttpReply {
  const { etag } = told.entry;
  const headers: Record<string, string> = { ETag: `"${etag}"` };
  if (/^[0-9a-f]{32}$/.test(etag)) headers["Content-MD5"] = base64(Buffer.from(etag, "hex"));
  return jsonReply(request, 201, { name: nameOf(path.text), size: told.sizeBytes }, headers);
}

/** Checked before the commit: a body that is not what was promised leaves no file. */
function checked(summary: BodySummary, promised: string | undefined): Partial<EntryDescription> {
  if (promised !== undefined && promised !== base64(summary.md5)) {
    throw new HttpError(400, "Content-MD5 is not that of the body");
  }
  return {};
}

function writeCondition(request: HttpRequest): Condition | undefined {
  const none = headerText(request.headers, "if-none-match");
  const match = headerText(request.headers, "if-match");
  if (none !== undefined && match !== undefined) {
    throw new HttpError(400, "If-Match and If-None-Match cannot be combined");
  }
  if (none !== undefined) {
    if (none.trim() !== "*")
      throw new HttpError(400, "If-None-Match of a write takes only an asterisk");
    return { kind: "absent" };
  }
  if (match === undefined) return undefined;
  const etags = splitEtags(match);
  return etags.includes("*") ? { kind: "present" } : { kind: "etag", etags };
}

function holds(condition: Condition | undefined, before: Entry | undefined): boolean {
  switch (condition?.kind) {
    case undefined:
      return true;
    case "absent":
      return before === undefined;
    case "present":
      return before !== undefined;
    case "etag":
      return before !== undefined && condition.etags.includes(before.etag);
    case "position":
      return before?.position === condition.position;
    default:
      return unreachable(condition);
  }
}

export function ttlMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ttl = parseTtl(text);
  if (ttl === undefined)
    throw new HttpError(400, "ttl is no lifetime such as 3m, 4h, 5d, 6w, 7M, 8y");
  const seconds = ttlSeconds(ttl);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** A file where a folder is, or below a file, is refused with 409: readers of paths could not tell them apart. */
export async function refuseConflicts(
  filer: Filer,
  path: FilePath,
  skipParents: boolean,
): Promise<void> {
  if (await folderExists(filer, asFolder(path))) {
    throw new HttpError(409, `${path.text} is a folder`);
  }
  if (skipParents) return;
  for (let at = path.key.indexOf("/"); at > 0; at = path.key.indexOf("/", at + 1)) {
    const parent = path.key.slice(0, at) as EntryPath;
    if (parent.endsWith("/")) continue;
    if ((await findEntry(filer, path.tree, parent)) !== undefined) {
      throw new HttpError(409, `A file stands where ${path.text} needs a folder`);
    }
  }
}

/** POST of a folder without a body. */
export async function makeFolder(
  filer: Filer,
  request: HttpRequest,
  place: { readonly path: FolderPath; readonly access: Access },
): Promise<HttpReply> {
  const { path, access } = place;
  if (path.prefix === "") return makeBucket(filer, request, place);
  access.require("write", { tree: path.tree, key: path.prefix });
  await ensureTree(filer, path.tree);
  if (await folderExists(filer, path)) throw new HttpError(409, `dir ${path.text} already exists`);
  const file = path.prefix.slice(0, -1) as EntryPath;
  if (!file.endsWith("/") && (await findEntry(filer, path.tree, file)) !== undefined) {
    throw new HttpError(409, `${path.text} is a file`);
  }
  await write(filer, {
    path: { tree: path.tree, key: path.prefix as EntryPath },
    body: EMPTY_BYTES,
    describe: () => ({ attributes: {} }),
    condition: { kind: "absent" },
  });
  return jsonReply(request, 201, { name: nameOf(path.text) });
}

async function makeBucket(
  filer: Filer,
  request: HttpRequest,
  { path, access }: { readonly path: FolderPath; readonly access: Access },
): Promise<HttpReply> {
  if (path.tree === ROOT_TREE) throw new HttpError(409, "dir / already exists");
  access.requireBucketRight("s3:CreateBucket", path.tree);
  const made = await filer.createTree({ name: path.tree, kind: "bucket", owner: access.owner });
  if (made.kind === "refused") throw new HttpError(409, `dir ${path.text} already exists`);
  return jsonReply(request, 201, { name: path.tree });
}

/** Replaces attributes without losing what others change meanwhile. `change` gives `undefined` for no change. */
export async function changeAttributes(
  filer: Filer,
  path: FilePath,
  change: (entry: Entry) => Entry["attributes"] | undefined,
  attemptsMax: number,
): Promise<"changed" | "unchanged"> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const entry = await findEntry(filer, path.tree, path.key);
    if (entry === undefined) throw notFound();
    const attributes = change(entry);
    if (attributes === undefined) return "unchanged";
    const condition: Condition = { kind: "position", position: entry.position };
    const result = await filer.setEntryAttributes(path.tree, path.key, { attributes, condition });
    if (result.kind === "ok") return "changed";
  }
  throw new HttpError(503, "Others change this file all the time");
}
