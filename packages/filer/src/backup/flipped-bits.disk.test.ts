import { expect, test } from "bun:test";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fill, openBackupRig, packFiles } from "../testing/backup-rig.ts";
import { codeOf } from "../testing/index.ts";

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

test("any flipped bit or torn piece is found by verification and by restoring", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const { manifest } = await rig.source.backUp(rig.target);
  const files = [
    ...packFiles(rig.path, ".pack"),
    ...packFiles(rig.path, ".json"),
    join(rig.path, "backups", `${manifest.id}.json`),
    join(rig.path, "kelp-backup.json"),
  ];
  for (const file of files) {
    const whole = readFileSync(file);
    for (const part of [0, 0.3, 0.6, 0.999]) {
      flip(file, Math.floor(part * whole.length));
      expect(await codeOf(rig.source.verify(rig.target))).toBe("backup-damaged");
      expect(await codeOf(rig.source.restore(rig.target))).toBe("backup-damaged");
      writeFileSync(file, whole);
    }
    truncateSync(file, whole.length - 1);
    expect(await codeOf(rig.source.verify(rig.target))).toBe("backup-damaged");
    expect(await codeOf(rig.source.restore(rig.target))).toBe("backup-damaged");
    writeFileSync(file, whole);
  }
  for (const file of packFiles(rig.path, "")) {
    const whole = readFileSync(file);
    rmSync(file);
    expect(await codeOf(rig.source.verify(rig.target))).toBe("backup-damaged");
    expect(await codeOf(rig.source.restore(rig.target))).toBe("backup-damaged");
    writeFileSync(file, whole);
  }
  await rig.source.verify(rig.target);
}, 20_000);
