import { expect, test } from "bun:test";
import { silentLog } from "@kelp/base";
import { systemClock, systemHashes } from "@kelp/base/platform";
import { PowerCutDisk, SeededRandom } from "@kelp/base/testing";
import { openVolumeStore, type VolumeStore } from "../store/volume-store.ts";
import { ONE, content, fid } from "../testing/volume-world.ts";

function openOn(disk: PowerCutDisk): Promise<VolumeStore> {
  return openVolumeStore({
    disk,
    clock: systemClock,
    hashes: systemHashes,
    log: silentLog,
    folder: "/volumes",
  });
}

test.each([false, true])(
  "a power cut at any moment of a creation leaves no volume or a whole one, and once made it stays (large: %p)",
  async (isLarge) => {
    const disk = new PowerCutDisk();
    await using store = await openOn(disk);
    const from = disk.moment;
    await store.createVolume(ONE, { collection: "", isLarge });
    const to = disk.moment;
    const found = new Set<string>();
    for (let moment = from; moment <= to; moment += 1) {
      for (let seed = 0; seed < 60; seed += 1) {
        const start = disk.cuts().cut(moment, new SeededRandom(seed));
        await using again = await openOn(new PowerCutDisk({ start }));
        const [status] = await again.volumes();
        found.add(status?.state ?? "none");
        if (moment === to) expect(status?.state).toBe("writable");
        if (status === undefined) await again.createVolume(ONE, { collection: "", isLarge });
        await again.append(fid(1), content(1, 10));
        expect(await again.read(fid(1))).toEqual(Buffer.from(content(1, 10)));
      }
    }
    expect(found).toEqual(new Set(["none", "writable"]));
  },
);
