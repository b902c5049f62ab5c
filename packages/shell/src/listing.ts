import type { ObjectItemMessage } from "@kelp/wire/management";
import type { Call } from "./command.ts";
import { ShellError } from "./errors.ts";
import { type Location, locate, resolvePath } from "./location.ts";

export type ObjectItem = Extract<ObjectItemMessage, { readonly kind: "object" }>;

/** A bucket or what looks like a folder in it: all keys that begin with `prefix`. */
export interface Folder {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
}

/** The location of the argument at `index`, or of the working directory when it is not given. */
export function locationOf(call: Call, index: number): Location {
  const { flags, session } = call;
  return locate(resolvePath(session.directory, flags.rest[index] ?? "."));
}

/** The location of a required argument. */
export function requiredLocationOf(call: Call, index: number, what: string): Location {
  if (call.flags.rest[index] === undefined) throw new ShellError("usage", `The ${what} is missing`);
  return locationOf(call, index);
}

/** What a key names: a folder when anything lies under it, and an object when one has exactly this key. */
export async function inspect(
  call: Call,
  location: Extract<Location, { readonly kind: "object" | "bucket" }>,
): Promise<{ readonly folder: Folder | undefined; readonly object: ObjectItem | undefined }> {
  const { client } = call;
  const { bucket } = location;
  if (location.kind === "bucket") return { folder: { bucket, prefix: "" }, object: undefined };
  const { key } = location;
  const prefix = key.endsWith("/") ? key : `${key}/`;
  const page = await client.listObjects(bucket, { prefix, limit: 1 });
  const info = await client.objectInfo(bucket, key);
  return {
    folder: page.items.length > 0 ? { bucket, prefix } : undefined,
    object: info === undefined ? undefined : { kind: "object", ...info },
  };
}

export function notFound(path: string): ShellError {
  return new ShellError("not-found", `There is no ${path}`);
}
