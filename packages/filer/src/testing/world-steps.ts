import { collectBytes } from "@kelp/base";
import type { Entry, WriteFile } from "@kelp/wire";
import { type FilerWorld, TREE, openFilerWorld, pathOf } from "./world.ts";

/** A world whose `TREE` exists. */
export async function openTreeWorld(
  options: Parameters<typeof openFilerWorld>[0] = {},
): Promise<FilerWorld> {
  const world = openFilerWorld(options);
  await world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
  return world;
}

/** Writes, or throws the refusal. */
export async function write(
  world: FilerWorld,
  path: string,
  body: WriteFile["body"],
): Promise<Entry> {
  const result = await world.filer.writeFile(fileOf(path, body));
  if (result.kind === "refused") throw new Error(JSON.stringify(result.refusal));
  return result.value;
}

export function fileOf(path: string, body: WriteFile["body"]): WriteFile {
  return {
    tree: TREE,
    path: pathOf(path),
    body,
    describe: () => ({ attributes: { "content-type": "text/plain" } }),
  };
}

/** The entry, or throws the refusal. */
export async function get(world: FilerWorld, path: string): Promise<Entry> {
  const result = await world.filer.getEntry(TREE, pathOf(path));
  if (result.kind === "refused") throw new Error(result.refusal);
  return result.value;
}

export async function read(world: FilerWorld, path: string): Promise<Uint8Array | undefined> {
  const entry = await get(world, path);
  return collectBytes(world.filer.readFile(entry), entry.sizeBytes);
}

/** Bytes that differ from place to place. */
export function noise(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let index = 0; index < sizeBytes; index += 1) {
    bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  }
  return bytes;
}

/** A stream of one reused buffer: a writer that keeps pieces instead of copying them is found out. */
export async function* pieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(pieceBytes);
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const part = bytes.subarray(start, start + pieceBytes);
    piece.set(part);
    yield piece.subarray(0, part.length);
  }
}

/** The code of what a promise rejects with; "none" when it resolves. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
  return "none";
}
