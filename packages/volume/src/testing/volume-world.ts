import { readFileSync, writeFileSync } from "node:fs";
import { silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type Fid, type ScannedNeedle, type VolumeClient, needleId, volumeId } from "@kelp/wire";
import type { VolumeStoreOptions } from "../store/store-options.ts";
import { type VolumeStore, openVolumeStore } from "../store/volume-store.ts";

/** For this room's own tests: a folder with volume 1 of collection `""`, whose files can be looked at and spoilt. */

export const ONE = volumeId(1);
export const COOKIE = 0x1122_3344;

export function fid(id: number, cookie = COOKIE): Fid {
  return { volumeId: ONE, needleId: needleId(BigInt(id)), cookie };
}

/** Bytes that differ from needle to needle and are never all zero. */
export function content(id: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (id * 31 + index * 7 + 1) & 0xff);
}

export class VolumeWorld implements Disposable {
  readonly #folder = temporaryFolder();

  get folder(): string {
    return this.#folder.path;
  }
  get dataPath(): string {
    return `${this.folder}/1.dat`;
  }
  get indexPath(): string {
    return `${this.folder}/1.idx`;
  }

  /** Opens the store; makes volume 1 when the folder is empty. Whoever calls this closes it. */
  async open(options: Partial<VolumeStoreOptions> = {}): Promise<VolumeStore> {
    const store = await openVolumeStore({
      disk: systemDisk,
      clock: systemClock,
      hashes: systemHashes,
      log: silentLog,
      folder: this.folder,
      ...options,
    });
    if ((await store.volumes()).length === 0) await store.createVolume(ONE, { collection: "" });
    return store;
  }

  /** Appends needles of these sizes under ids from 1 on and closes the store. */
  async appendAll(sizes: readonly number[]): Promise<void> {
    await using store = await this.open();
    for (const [index, size] of sizes.entries()) {
      await store.append(fid(index + 1), content(index + 1, size));
    }
  }

  data(): Buffer {
    return readFileSync(this.dataPath);
  }

  index(): Buffer {
    return readFileSync(this.indexPath);
  }

  spoilData(change: (data: Buffer) => Uint8Array): void {
    writeFileSync(this.dataPath, change(this.data()));
  }

  spoilIndex(change: (index: Buffer) => Uint8Array): void {
    writeFileSync(this.indexPath, change(this.index()));
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

export async function scanAll(client: VolumeClient): Promise<ScannedNeedle[]> {
  const all: ScannedNeedle[] = [];
  for await (const needle of client.scan(ONE)) all.push(needle);
  return all;
}

/** A read as plain bytes, for comparing. */
export async function readPlain(client: VolumeClient, address: Fid): Promise<number[] | undefined> {
  const bytes = await client.read(address);
  return bytes === undefined ? undefined : [...bytes];
}
