import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemHashes } from "@kelp/base/platform";
import { fill, openBackupRig } from "../testing/backup-rig.ts";
import { codeOf } from "../testing/index.ts";
import { encodeChecked } from "./checked-text.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import type { PackIndex } from "./pack-index.ts";
import { readPackIndex } from "./pack.ts";
import { pruneBackups } from "./prune-backups.ts";

test("a manifest that names files elsewhere is refused", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const { manifest } = await rig.source.backUp(rig.target);
  for (const name of ["../filer.db", "/etc/passwd", "a/b", "..", ""]) {
    const forged = { ...manifest, databases: [{ ...manifest.databases[0], name }] };
    await rig.target.write(`backups/${manifest.id}.json`, encodeChecked(forged, systemHashes));
    expect(await codeOf(rig.source.restore(rig.target))).toBe("backup-damaged");
  }
});

test("a manifest that calls itself otherwise is refused, and pruning removes nothing by its word", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const victim = join(rig.path, "..", "victim.json");
  writeFileSync(victim, "kept");
  const first = (await rig.source.backUp(rig.target)).manifest;
  await rig.source.backUp(rig.target);
  for (const id of ["../../victim", "x", undefined, 7]) {
    const forged = encodeChecked({ ...first, id }, systemHashes);
    await rig.target.write(`backups/${first.id}.json`, forged);
    expect(await codeOf(rig.source.restore(rig.target, first.id))).toBe("backup-damaged");
    const { storeId } = first;
    expect(await codeOf(pruneBackups(rig.target, { storeId, keepCount: 1 }, systemHashes))).toBe(
      "backup-damaged",
    );
  }
  expect(readFileSync(victim, "utf8")).toBe("kept");
});

test.each<[string, (manifest: BackupManifest) => unknown]>([
  ["packs elsewhere", ({ packs }) => ({ packs: [...packs, "../../victim"] })],
  ["a pack that is no text", () => ({ packs: [7] })],
  ["a pack twice", ({ packs }) => ({ packs: [...packs, ...packs] })],
  ["no packs", () => ({ packs: null })],
  [
    "fewer blocks than the size takes",
    ({ databases: [one] }) => ({ databases: [{ ...one, blocks: [] }] }),
  ],
  [
    "a size beyond all numbers",
    ({ databases: [one] }) => ({ databases: [{ ...one, sizeBytes: 2 ** 60 }] }),
  ],
  ["a negative size", ({ databases: [one] }) => ({ databases: [{ ...one, sizeBytes: -1 }] })],
  ["no files", () => ({ files: undefined })],
])("a manifest with %s is damage, not a crash", async (_, change) => {
  using rig = await openBackupRig();
  await fill(rig);
  const { manifest } = await rig.source.backUp(rig.target);
  const forged = encodeChecked({ ...manifest, ...(change(manifest) as object) }, systemHashes);
  await rig.target.write(`backups/${manifest.id}.json`, forged);
  expect(await codeOf(rig.source.restore(rig.target))).toBe("backup-damaged");
  expect(await codeOf(rig.source.verify(rig.target))).toBe("backup-damaged");
});

test.each<[string, (index: PackIndex) => unknown]>([
  ["calls itself otherwise", () => ({ id: "../../victim" })],
  ["counts otherwise than its blobs", ({ sizeBytes }) => ({ sizeBytes: sizeBytes + 1 })],
  [
    "has a blob that goes backwards",
    ({ blobs }) => ({ blobs: [...blobs, { ...blobs[0], sizeBytes: -1 }] }),
  ],
  [
    "gives one block for another",
    ({ blobs }) => ({
      blobs: blobs.map((blob) =>
        blob.key.startsWith("block ") ? { ...blob, key: `block ${"0".repeat(64)}` } : blob,
      ),
    }),
  ],
])("an index that %s is damage, not a crash", async (_, change) => {
  using rig = await openBackupRig();
  await fill(rig);
  const { manifest } = await rig.source.backUp(rig.target);
  for (const id of manifest.packs) {
    const index = await readPackIndex(rig.target, id, systemHashes);
    const forged = encodeChecked({ ...index, ...(change(index) as object) }, systemHashes);
    await rig.target.write(`packs/${id}.json`, forged);
  }
  expect(await codeOf(rig.source.restore(rig.target))).toBe("backup-damaged");
});

test("a block that has another content than its name says is refused", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const { manifest } = await rig.source.backUp(rig.target);
  const [database] = manifest.databases;
  const forgedBlock = "0".repeat(64);
  const [real] = database?.blocks ?? [];
  const blocks = database?.blocks.map((block) => (block === real ? forgedBlock : block));
  await rig.target.write(
    `backups/${manifest.id}.json`,
    encodeChecked({ ...manifest, databases: [{ ...database, blocks }] }, systemHashes),
  );
  for (const id of manifest.packs) {
    const index = await readPackIndex(rig.target, id, systemHashes);
    const blobs = index.blobs.map((blob) =>
      blob.key === `block ${real}` ? { ...blob, key: `block ${forgedBlock}` } : blob,
    );
    await rig.target.write(`packs/${id}.json`, encodeChecked({ ...index, blobs }, systemHashes));
  }
  expect(await codeOf(rig.source.restore(rig.target))).toBe("backup-damaged");
});

test("a backup of a newer format is refused", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const { manifest } = await rig.source.backUp(rig.target);
  const name = `backups/${manifest.id}.json`;
  await rig.target.write(name, encodeChecked({ ...manifest, format: 3 }, systemHashes));
  expect(await codeOf(rig.source.restore(rig.target))).toBe("format-unknown");
});
