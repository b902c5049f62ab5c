import { expect } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { type Disk, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type Fid, type VolumeId, needleId, volumeId } from "@kelp/wire";
import type { VolumeFolder } from "../store/disk-folder.ts";
import { type VolumeStore, openVolumeStore } from "../store/volume-store.ts";

/** Two folders, each with a file that stands for its uuid, as a service gives them. */
export class TwoDisks implements Disposable {
  readonly #folder = temporaryFolder();
  readonly a = `${this.#folder.path}/a`;
  readonly b = `${this.#folder.path}/b`;
  readonly catalogue = `${this.#folder.path}/volumes.json`;
  readonly held = new Set<string>();
  /** What else is said of the folders, by name. */
  more: Readonly<Record<string, Partial<VolumeFolder>>> = {};

  constructor() {
    mkdirSync(this.a);
    mkdirSync(this.b);
    writeFileSync(`${this.a}/uuid`, "uuid of a");
    writeFileSync(`${this.b}/uuid`, "uuid of b");
  }

  open(disk: Disk = systemDisk, names: readonly ("a" | "b")[] = ["a", "b"]): Promise<VolumeStore> {
    return openVolumeStore({
      disk,
      clock: systemClock,
      hashes: systemHashes,
      log: silentLog,
      catalogueFile: this.catalogue,
      folders: names.map((name) => this.#given(name)),
    });
  }

  [Symbol.dispose](): void {
    expect([...this.held]).toEqual([]);
    this.#folder[Symbol.dispose]();
  }

  #given(name: "a" | "b"): VolumeFolder {
    const path = this[name];
    const uuid = async (): Promise<string> => Bun.file(`${path}/uuid`).text();
    return {
      path,
      ...this.more[name],
      take: async () => {
        const its = await uuid();
        this.held.add(path);
        return {
          uuid: its,
          probe: async () => {
            if ((await uuid()) !== its) throw new Error("another folder");
          },
          [Symbol.dispose]: () => void this.held.delete(path),
        };
      },
    };
  }
}

export function fid(id: VolumeId, needle = 1): Fid {
  return { volumeId: id, needleId: needleId(BigInt(needle)), cookie: 7 };
}

export const ONE = volumeId(1);
export const TWO = volumeId(2);
export const THREE = volumeId(3);

/** Makes volume 1 in `a` and 2 in `b`, each with a needle. */
export async function fillBoth(disks: TwoDisks): Promise<void> {
  for (const [name, id] of [
    ["a", ONE],
    ["b", TWO],
  ] as const) {
    disks.more = { [name === "a" ? "b" : "a"]: { volumeCountMax: 0 } };
    await using store = await disks.open();
    await store.createVolume(id, { collection: "c" });
    await store.append(fid(id), Uint8Array.of(id));
  }
  disks.more = {};
  expect(existsSync(`${disks.a}/c_1.dat`)).toBe(true);
  expect(existsSync(`${disks.b}/c_2.dat`)).toBe(true);
}

export async function statesOf(store: VolumeStore): Promise<string[]> {
  return (await store.volumes()).map(({ id, state }) => `${id} ${state}`);
}
