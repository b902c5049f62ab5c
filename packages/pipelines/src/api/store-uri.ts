export interface StorePlace {
  readonly bucket: string;
  readonly key: string;
}

/** Bucket and key of `s3://bucket/key` or `minio://bucket/key`; `undefined` for anything else. */
export function parseStoreUri(uri: string): StorePlace | undefined {
  const match = /^(?:s3|minio):\/\/([^/?#]+)\/(.+)$/s.exec(uri);
  const [, bucket, key] = match ?? [];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}
