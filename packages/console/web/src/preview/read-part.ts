import { send } from "../api/http.ts";

/** What a preview reads of a content at most. */
export const TEXT_BYTES_MAX = 512 * 1024;
export const IMAGE_BYTES_MAX = 20 * 1024 * 1024;

export interface TextPart {
  readonly text: string;
  readonly isTruncated: boolean;
}

/** The first `limitBytes` of the content at `address`, as text. */
export async function readTextPart(
  address: string,
  limitBytes: number = TEXT_BYTES_MAX,
): Promise<TextPart> {
  const response = await send(address, { headers: { range: `bytes=0-${limitBytes - 1}` } });
  const bytes = await response.arrayBuffer();
  const total = totalBytes(response);
  const text = new TextDecoder().decode(bytes.slice(0, limitBytes));
  return { text, isTruncated: total !== undefined && total > limitBytes };
}

/** Bytes `[start, end)` of the content at `address`. */
export async function readBytes(address: string, start: number, end: number): Promise<ArrayBuffer> {
  if (end <= start) return new ArrayBuffer(0);
  const response = await send(address, { headers: { range: `bytes=${start}-${end - 1}` } });
  return response.arrayBuffer();
}

function totalBytes(response: Response): number | undefined {
  const match = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
