import type { LocalFiles } from "@kelp/base";
import { LIST_KEYS_MAX, type ObjectStore } from "@kelp/wire";
import { TaskError } from "../../errors.ts";
import { parseObjectUri } from "../../run/uri.ts";

export interface TransferDeps {
  readonly files: LocalFiles;
  readonly objects: ObjectStore;
}

/**
 * Brings what stands at a URI to a path: the object of that key, or every object below it as a folder.
 * Nothing there is no failure: a step need not have written its output.
 */
export async function download(
  deps: TransferDeps,
  uri: string,
  path: string,
  signal: AbortSignal,
): Promise<"nothing" | "done"> {
  const address = parseObjectUri(uri);
  if (address === undefined)
    throw new TaskError(`Cannot bring ${uri}: only s3:// can be read here`);
  const { bucket, key } = address;
  if ((await deps.objects.getBucket(bucket)) === undefined) {
    throw new TaskError(`Cannot bring ${uri}: there is no bucket ${bucket}`);
  }
  const single = key === "" ? undefined : await deps.objects.getObject(bucket, key);
  if (single !== undefined) {
    await deps.files.write(path, single.body);
    return "done";
  }
  return downloadFolder(deps, { bucket, prefix: key === "" ? "" : `${key}/` }, path, signal);
}

async function downloadFolder(
  deps: TransferDeps,
  source: { readonly bucket: string; readonly prefix: string },
  path: string,
  signal: AbortSignal,
): Promise<"nothing" | "done"> {
  const { bucket, prefix } = source;
  let count = 0;
  let after: string | undefined;
  do {
    signal.throwIfAborted();
    const query = { prefix, limit: LIST_KEYS_MAX, ...(after === undefined ? {} : { after }) };
    const page = await deps.objects.listObjects(bucket, query);
    for (const item of page.items) {
      if (item.kind !== "object") continue;
      signal.throwIfAborted();
      const relative = item.key.slice(prefix.length);
      if (relative.split("/").includes("..")) {
        throw new TaskError(`Cannot bring object ${item.key}: its name leads out of its folder`);
      }
      count++;
      // A key that ends in a slash is how some tools mark an empty folder.
      if (relative === "" || relative.endsWith("/")) {
        await deps.files.makeFolder(`${path}/${relative}`);
        continue;
      }
      const object = await deps.objects.getObject(bucket, item.key);
      if (object !== undefined) await deps.files.write(`${path}/${relative}`, object.body);
    }
    after = page.next;
  } while (after !== undefined);
  return count === 0 ? "nothing" : "done";
}

/** Takes a file, or a folder with all its files, to a URI. Nothing there is no failure. */
export async function upload(
  deps: TransferDeps,
  path: string,
  uri: string,
  signal: AbortSignal,
): Promise<"nothing" | "done"> {
  const kind = await deps.files.describe(path);
  if (kind === undefined) return "nothing";
  const address = parseObjectUri(uri);
  if (address === undefined)
    throw new TaskError(`Cannot keep ${uri}: only s3:// can be written here`);
  const { bucket, key } = address;
  if (kind.kind === "file") {
    await putFile(deps, path, kind.sizeBytes, { bucket, key, signal });
    return "done";
  }
  for (const file of await deps.files.walk(path)) {
    signal.throwIfAborted();
    await putFile(deps, `${path}/${file.path}`, file.sizeBytes, {
      bucket,
      key: `${key}/${file.path}`,
      signal,
    });
  }
  return "done";
}

async function putFile(
  deps: TransferDeps,
  path: string,
  sizeBytes: number,
  target: { readonly bucket: string; readonly key: string; readonly signal: AbortSignal },
): Promise<void> {
  const body = sizeBytes === 0 ? new Uint8Array(0) : deps.files.read(path);
  await deps.objects.putObject({ ...target, body });
}
