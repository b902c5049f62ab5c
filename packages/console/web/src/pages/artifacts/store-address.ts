/** Where an artifact lies in this store; `undefined` when it lies elsewhere. */
export function storeAddress(
  uri: string,
): { readonly bucket: string; readonly key: string } | undefined {
  const match = /^(?:s3|minio):\/\/([^/]+)\/(.+)$/.exec(uri);
  const [, bucket, key] = match ?? [];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}
