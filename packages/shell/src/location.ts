import { ShellError } from "./errors.ts";

/** What a path of the shell means: buckets stand under `/buckets`, keys under their bucket. */
export type Location =
  | { readonly kind: "root" }
  | { readonly kind: "buckets" }
  | { readonly kind: "bucket"; readonly bucket: string }
  /** `key` is as in S3: its slashes, dots and doubled slashes are kept. */
  | { readonly kind: "object"; readonly bucket: string; readonly key: string };

const BUCKETS = "/buckets";

/** `path` from `directory`, which is absolute. Leading `./` and `../` are followed; inside a key they are characters. */
export function resolvePath(directory: string, path: string): string {
  if (path.startsWith("/")) return path;
  let from = directory;
  let rest = path;
  for (;;) {
    if (rest === "." || rest.startsWith("./")) rest = rest.slice(2);
    else if (rest === ".." || rest.startsWith("../")) {
      rest = rest.slice(3);
      from = parentOf(from);
    } else break;
  }
  if (rest === "") return from;
  return from.endsWith("/") ? from + rest : `${from}/${rest}`;
}

/** Throws `ShellError` `not-found` for a path that cannot exist. */
export function locate(path: string): Location {
  if (path === "/" || path === "") return { kind: "root" };
  if (path === BUCKETS || path === `${BUCKETS}/`) return { kind: "buckets" };
  if (!path.startsWith(`${BUCKETS}/`)) {
    throw new ShellError("not-found", `There is no ${path}: everything is under ${BUCKETS}`);
  }
  const inside = path.slice(BUCKETS.length + 1);
  const slash = inside.indexOf("/");
  const bucket = slash < 0 ? inside : inside.slice(0, slash);
  const key = slash < 0 ? "" : inside.slice(slash + 1);
  if (bucket === "") throw new ShellError("not-found", `There is no ${path}: the bucket is empty`);
  return key === "" ? { kind: "bucket", bucket } : { kind: "object", bucket, key };
}

/** A bucket as it was at a snapshot is written `BUCKET@SNAPSHOT`; no bucket has an `@` in its name. */
export function splitSnapshot(text: string): {
  readonly bucket: string;
  readonly snapshot: string | undefined;
} {
  const at = text.indexOf("@");
  if (at < 0) return { bucket: text, snapshot: undefined };
  const [bucket, snapshot] = [text.slice(0, at), text.slice(at + 1)];
  if (bucket === "" || snapshot === "") {
    throw new ShellError("usage", `${text} is not BUCKET@SNAPSHOT`);
  }
  return { bucket, snapshot };
}

export function pathOf(bucket: string, key: string): string {
  return key === "" ? `${BUCKETS}/${bucket}` : `${BUCKETS}/${bucket}/${key}`;
}

/** The last name in a key or prefix, with the slash of a prefix. */
export function nameOf(key: string): string {
  const end = key.endsWith("/") ? key.length - 1 : key.length;
  return end === 0 ? key : key.slice(key.lastIndexOf("/", end - 1) + 1);
}

function parentOf(path: string): string {
  const trimmed = path.endsWith("/") ? path.slice(0, -1) : path;
  return trimmed.slice(0, trimmed.lastIndexOf("/")) || "/";
}
