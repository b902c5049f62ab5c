/** Where an artifact is in an object store. `key` may be a prefix: a folder. */
export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

/** `s3://bucket/key`, and `minio://` alike. `undefined` for every other URI. */
export function parseObjectUri(uri: string): ObjectAddress | undefined {
  const match = /^(?:s3|minio):\/\/([^/?]+)\/?([^?]*)/.exec(uri);
  if (match === null) return undefined;
  const [, bucket = "", key = ""] = match;
  return { bucket, key: key.replace(/\/+$/, "") };
}

/** The root without the query that configures the bucket and without a slash at the end. */
export function cleanRoot(root: string): string {
  return root.replace(/\?.*$/, "").replace(/\/+$/, "");
}
