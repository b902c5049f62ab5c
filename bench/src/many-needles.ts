import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";

/** Records of one byte of data: 16 + (4 + 1 + 1) + 12 = 34, padded to 40. */
const RECORD_BYTES = 40;
const ENTRY_BYTES = 16;
const SUPERBLOCK_BYTES = 8;
const BLOCK_RECORDS = 65_536;
export const MANY_VOLUME_COUNT = 4;

/**
 * Writes volumes with `needleCount` whole needles of one byte, ids dealt to the volumes in turn, and their index files, without
 * checkpoints: a folder as another program leaves it. Every record is real and has its checksum.
 */
export function writeManyNeedles(folder: string, needleCount: number): void {
  mkdirSync(folder, { recursive: true });
  for (let volume = 1; volume <= MANY_VOLUME_COUNT; volume++) {
    writeVolume(`${folder}/${volume}`, volume, needleCount / MANY_VOLUME_COUNT);
  }
}

function writeVolume(path: string, firstId: number, count: number): void {
  const data = openSync(`${path}.dat`, "w");
  const index = openSync(`${path}.idx`, "w");
  writeSync(data, Buffer.from("0300000000000000", "hex"));
  // Cookie, id, size 6; data size 1, "a", no flags; CRC-32C of "a"; the date; padding.
  const record = Buffer.from(
    `112233440000000000000000000000060000000161 00c1d043300000000000000000000000060000`.replace(
      " ",
      "",
    ),
    "hex",
  );
  for (let from = 0; from < count; from += BLOCK_RECORDS) {
    const length = Math.min(BLOCK_RECORDS, count - from);
    const records = Buffer.alloc(length * RECORD_BYTES, record);
    const entries = Buffer.alloc(length * ENTRY_BYTES);
    for (let at = 0; at < length; at++) {
      const id = firstId + (from + at) * MANY_VOLUME_COUNT;
      records.writeUInt32BE(id, at * RECORD_BYTES + 8);
      records.writeUInt32BE(1 + from + at, at * RECORD_BYTES + 30);
      entries.writeUInt32BE(id, at * ENTRY_BYTES + 4);
      const units = (SUPERBLOCK_BYTES + (from + at) * RECORD_BYTES) / 8;
      entries.writeUInt32BE(units, at * ENTRY_BYTES + 8);
      entries.writeInt32BE(6, at * ENTRY_BYTES + 12);
    }
    writeSync(data, records);
    writeSync(index, entries);
  }
  closeSync(data);
  closeSync(index);
}
