import { expect, test } from "bun:test";
import { PowerCutDisk, SeededRandom } from "@kelp/base/testing";
import { FolderTarget } from "./folder-target.ts";

test.each(["kelp-backup.json", "packs/1.pack"])(
  "a piece %s of a target that was made for it is there after a power cut",
  async (name) => {
    const disk = new PowerCutDisk({ start: new Map([["/backups", undefined]]) });
    await new FolderTarget(disk, "/backups/of/kelp").write(name, Uint8Array.of(1, 2, 3));
    const cuts = disk.cuts();
    for (let seed = 1; seed <= 50; seed += 1) {
      const start = cuts.cut(disk.moment, new SeededRandom(seed));
      const target = new FolderTarget(new PowerCutDisk({ start }), "/backups/of/kelp");
      expect(await target.read(name)).toEqual(Buffer.from([1, 2, 3]));
    }
  },
);
