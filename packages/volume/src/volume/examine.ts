import {
  CHECKSUM_BYTES,
  DATA_SIZE_BYTES,
  FLAGS_BYTES,
  HEADER_BYTES,
  PREFIX_BYTES,
  RECORD_BYTES_MIN,
  recordBytesOf,
} from "../needle/layout.ts";
import {
  type Checksums,
  type NeedleHeader,
  checksumFits,
  decodeNeedle,
  readHeader,
} from "../needle/decode.ts";
import type { ReadWindow } from "./read-window.ts";

/** What stands at an offset of a volume file. */
export type Examined =
  | {
      readonly kind: "good";
      readonly header: NeedleHeader;
      readonly dateNs: bigint;
      readonly dataBytes: number;
      readonly endBytes: number;
    }
  /** The header is possible, the content does not fit it. */
  | {
      readonly kind: "damaged";
      readonly header: NeedleHeader;
      readonly endBytes: number;
      readonly reason: string;
    }
  /** No record begins here, or not all of it is there. */
  | { readonly kind: "unreadable" };

const UNREADABLE: Examined = { kind: "unreadable" };

export interface ExamineSource {
  readonly window: ReadWindow;
  /** End of the file. */
  readonly endBytes: number;
  readonly hashes: Checksums;
}

/** Reads and checks the record at `offset`, whatever its size, through the window. */
export async function examine(source: ExamineSource, offset: number): Promise<Examined> {
  if (offset + RECORD_BYTES_MIN > source.endBytes) return UNREADABLE;
  const { window, hashes } = source;
  const header = readHeader(await window.borrow(offset, HEADER_BYTES), 0);
  if (!isPossible(header)) return UNREADABLE;
  const recordBytes = recordBytesOf(header.bodyBytes);
  const endBytes = offset + recordBytes;
  if (endBytes > source.endBytes) return UNREADABLE;
  if (recordBytes > window.capacity) return examineLarge(source, offset, header);
  const decoded = decodeNeedle(await window.borrow(offset, recordBytes), header.bodyBytes, hashes);
  return decoded.kind === "needle"
    ? { kind: "good", header, dateNs: decoded.dateNs, dataBytes: decoded.data.length, endBytes }
    : { kind: "damaged", header, endBytes, reason: decoded.reason };
}

export function isPossible(header: NeedleHeader): boolean {
  return header.bodyBytes >= 0 && (header.idHigh | header.idLow) !== 0;
}

/** A record larger than the window: its data is summed piece by piece; optional fields are not looked into. */
async function examineLarge(
  source: ExamineSource,
  offset: number,
  header: NeedleHeader,
): Promise<Examined> {
  const { window, hashes } = source;
  const endBytes = offset + recordBytesOf(header.bodyBytes);
  const dataBytes = (await window.borrow(offset, PREFIX_BYTES)).readUInt32BE(HEADER_BYTES);
  if (DATA_SIZE_BYTES + dataBytes + FLAGS_BYTES > header.bodyBytes) {
    return { kind: "damaged", header, endBytes, reason: "data is larger than the body" };
  }
  let found = 0;
  const dataEnd = offset + PREFIX_BYTES + dataBytes;
  for (let at = offset + PREFIX_BYTES; at < dataEnd; at += window.capacity) {
    const piece = await window.borrow(at, Math.min(window.capacity, dataEnd - at));
    found = hashes.crc32c(piece, found);
  }
  const tail = await window.borrow(
    offset + HEADER_BYTES + header.bodyBytes,
    endBytes - offset - HEADER_BYTES - header.bodyBytes,
  );
  if (!checksumFits(tail.readUInt32BE(0), found)) {
    return { kind: "damaged", header, endBytes, reason: "checksum does not fit the data" };
  }
  return {
    kind: "good",
    header,
    dateNs: tail.readBigUInt64BE(CHECKSUM_BYTES),
    dataBytes,
    endBytes,
  };
}
