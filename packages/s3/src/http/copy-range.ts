/** `x-amz-copy-source-range`: strictly `bytes=first-last`, inside the source. `undefined` when it is not that. */
export function parseCopyRange(
  header: string,
  sizeBytes: number,
): { readonly start: number; readonly end: number } | undefined {
  const match = /^bytes=(\d{1,16})-(\d{1,16})$/.exec(header);
  const [, firstText, lastText] = match ?? [];
  if (firstText === undefined || lastText === undefined) return undefined;
  const first = Number(firstText);
  const last = Number(lastText);
  if (last < first || last >= sizeBytes) return undefined;
  return { start: first, end: last + 1 };
}
