import { joinBytes, utf8Text } from "@kelp/base";
import { Gunzip, Unzip, UnzipInflate, unzipSync } from "fflate";
import { ApiError } from "../errors.ts";
import { ARCHIVE_ENTRIES_MAX, UNPACKED_BYTES_MAX } from "../limits.ts";

/**
 * Archives are unpacked in pieces and measured on the way, whatever sizes their headers promise: deflate expands at
 * most about 1030 times, so one piece cannot pass the limit by more than `PIECE_BYTES` × 1030.
 */
const PIECE_BYTES = 4 * 1024;

/** The file taken from an archive that holds several. */
const PREFERRED_NAME = "pipeline.yaml";

export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b;
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** `pipeline.yaml` of a zip file, else its first file. Throws `ApiError` "invalid-argument". */
export function readZip(bytes: Uint8Array): Uint8Array {
  return readable("zip file", () => {
    const names: string[] = [];
    unzipSync(bytes, {
      filter: ({ name }) => {
        if (!name.endsWith("/")) names.push(name);
        if (names.length > ARCHIVE_ENTRIES_MAX) throw tooLarge();
        return false;
      },
    });
    return unzipOne(bytes, choose("zip file", names));
  });
}

function unzipOne(bytes: Uint8Array, name: string): Uint8Array {
  const output = new BoundedOutput();
  let isFound = false;
  const unzip = new Unzip((file) => {
    if (isFound || file.name !== name) return;
    isFound = true;
    file.ondata = (error, piece) => {
      if (error !== null) throw error;
      output.add(piece);
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  pushInPieces(bytes, (piece, isLast) => unzip.push(piece, isLast));
  return output.take();
}

/** `pipeline.yaml` of a gzipped tar file, else its first file. Throws `ApiError` "invalid-argument". */
export function readTarGz(bytes: Uint8Array): Uint8Array {
  return readable("tar.gz file", () => {
    const output = new BoundedOutput();
    const gunzip = new Gunzip((piece) => output.add(piece));
    pushInPieces(bytes, (piece, isLast) => gunzip.push(piece, isLast));
    const files = readTar(output.take());
    const name = choose("tar.gz file", [...files.keys()]);
    return files.get(name) ?? new Uint8Array();
  });
}

const TAR_BLOCK_BYTES = 512;

/** Regular files by name. Long names of newer formats are seen shortened, which only matters to who looks for one. */
function readTar(bytes: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let offset = 0;
  while (offset + TAR_BLOCK_BYTES <= bytes.length && bytes[offset] !== 0) {
    const header = bytes.subarray(offset, offset + TAR_BLOCK_BYTES);
    const sizeBytes = Number.parseInt(tarText(header, 124, 12).trim() || "0", 8);
    const start = offset + TAR_BLOCK_BYTES;
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || start + sizeBytes > bytes.length) {
      throw new Error("a file goes beyond the end");
    }
    const kind = tarText(header, 156, 1);
    if (kind === "0" || kind === "") {
      files.set(tarText(header, 0, 100), bytes.subarray(start, start + sizeBytes));
    }
    if (files.size > ARCHIVE_ENTRIES_MAX) throw tooLarge();
    offset = start + Math.ceil(sizeBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
  }
  return files;
}

function tarText(header: Uint8Array, start: number, length: number): string {
  const text = utf8Text(header.subarray(start, start + length));
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

function choose(what: string, names: readonly string[]): string {
  const name = names.find((each) => each.replace(/^\.\//, "") === PREFERRED_NAME) ?? names[0];
  if (name === undefined) {
    throw new ApiError("invalid-argument", `Cannot read the ${what}: it has no file`);
  }
  return name;
}

function pushInPieces(bytes: Uint8Array, push: (piece: Uint8Array, isLast: boolean) => void): void {
  for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
    const end = Math.min(offset + PIECE_BYTES, bytes.length);
    push(bytes.subarray(offset, end), end === bytes.length);
  }
}

class BoundedOutput {
  readonly #pieces: Uint8Array[] = [];
  #sizeBytes = 0;

  add(piece: Uint8Array): void {
    this.#sizeBytes += piece.length;
    if (this.#sizeBytes > UNPACKED_BYTES_MAX) throw tooLarge();
    this.#pieces.push(piece);
  }

  take(): Uint8Array {
    return joinBytes(this.#pieces);
  }
}

function tooLarge(): ApiError {
  return new ApiError(
    "too-large",
    `Cannot read the archive: it unpacks to more than ${UNPACKED_BYTES_MAX} bytes or has more than ${ARCHIVE_ENTRIES_MAX} files`,
  );
}

/** Turns the library's failures on broken input into refusals. */
function readable(what: string, read: () => Uint8Array): Uint8Array {
  try {
    return read();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError("invalid-argument", `Cannot read the ${what}: ${reason}`, { cause: error });
  }
}
