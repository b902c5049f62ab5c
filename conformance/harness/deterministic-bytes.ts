import { createHash } from "node:crypto";

/** Content that follows from its name, so that a reader can check it without having kept it. */
export function deterministicBytes(name: string, sizeBytes: number): Uint8Array {
  const block = createHash("sha256").update(name).digest();
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += block.length) {
    block.copy(bytes, at, 0, Math.min(block.length, sizeBytes - at));
  }
  return bytes;
}

/** Sizes around the edges that matter: empty, inline, one chunk, several chunks; mostly small. Uploads have two parts. */
export function deterministicSize(name: string): number {
  if (name.includes("/upload-")) return 6_000_000;
  const dice = createHash("sha256").update(`size of ${name}`).digest().readUInt32BE(0);
  if (dice % 40 === 0) return 4_500_000 + (dice % 1000);
  if (dice % 7 === 0) return dice % 200_000;
  return dice % 6000;
}

/** Content of an object that is overwritten again and again: says itself which write it is from. */
export function latestBytes(counter: number): Uint8Array {
  return Buffer.concat([Buffer.from(`${counter}\n`), deterministicBytes(`${counter}`, 30_000)]);
}
