import { expect, test } from "bun:test";
import { openManagementServer } from "../testing/management-server.ts";
import { refusalOf, shellFor } from "../testing/shells.ts";

test("volumes and the cluster are shown", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await shell.run("volume.list")).toBe(
    '  volume id:1 size:300 collection:"" file_count:2 live_bytes:100 delete_count:1 deleted_byte_count:50 garbage:10.0% state:writable form:plain disk:0\n' +
      '  volume id:2 size:500 collection:"cold" file_count:2 live_bytes:100 delete_count:1 deleted_byte_count:50 garbage:50.0% state:sealed form:plain disk:0 damaged:1\n' +
      "total size:800 volume_count:2\n",
  );
  expect(await shell.run("volume.list -writable")).toContain("total size:300 volume_count:1");
  expect(await shell.run("volume.list -readonly")).toContain("total size:500 volume_count:1");
  expect(await shell.run("volume.list -volumeId 2")).toContain("volume_count:1");
  expect(await shell.run("cluster.status")).toBe(
    "version: 0.1.0\nhealthy: yes\nstarted: 2026-01-02T03:04:05.000Z\ndir: /data\nvolumes: 2\n" +
      "disk_total_bytes: 1000\ndisk_available_bytes: 400\nendpoint s3: http://127.0.0.1:8333\n",
  );
});

test("volume.vacuum takes volumes above the threshold, or the one that is named", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  const second = "volume 2: 50.0% garbage, 500 bytes before, 100 after\n  damaged 1a at 8: rot\n";
  expect(await shell.run("volume.vacuum")).toBe(`${second}vacuumed volumes:1 damaged:1\n`);
  expect(await shell.run("volume.vacuum -garbageThreshold=0.05")).toContain("vacuumed volumes:2");
  expect(await shell.run("volume.vacuum -garbageThreshold 0.5")).toBe("vacuumed volumes:0\n");
  expect(await shell.run("volume.vacuum -volumeId=1")).toContain("volume 1: 10.0% garbage");
  expect(await shell.run("volume.vacuum -collection=other")).toBe("vacuumed volumes:0\n");
  const before = server.calls.length;
  for (const threshold of ["", "x", "-1", "1.5", "30%"]) {
    expect(
      await refusalOf(shell.run(`volume.vacuum -garbageThreshold='${threshold}'`)),
    ).toStartWith("usage:");
  }
  expect(server.calls.length).toBe(before);
  expect(await refusalOf(shell.run("volume.vacuum -volumeId 9"))).toStartWith("not-found:");
});

test("a volume that is not there or that the server will not vacuum keeps no other from it", async () => {
  await using server = await openManagementServer();
  const [plain] = server.volumes;
  if (plain === undefined) throw new Error("there is no volume");
  const garbage = { ...plain, garbage_ratio: 0.9 };
  server.volumes.unshift({ ...plain, id: 3, state: "missing" }, { ...garbage, id: 4 });
  server.refusing.add(4);
  const shell = shellFor(server);
  const written: string[] = [];
  const output = { write: async (piece: string | Uint8Array) => void written.push(String(piece)) };
  expect(await refusalOf(shell.execute("volume.vacuum", output))).toBe("refused: Not vacuumed: 4");
  expect(written.join("")).toBe(
    "volume 3: missing, not vacuumed\n" +
      "volume 4: Cannot vacuum it: its index may be wrong\n" +
      "volume 2: 50.0% garbage, 500 bytes before, 100 after\n  damaged 1a at 8: rot\n" +
      "vacuumed volumes:1 damaged:1\n",
  );
  expect(await refusalOf(shell.run("volume.vacuum -volumeId 4"))).toBe(
    "refused: Cannot vacuum it: its index may be wrong",
  );
});

test("volume.scrub tells what is damaged", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await shell.run("volume.scrub")).toBe(
    "volume 1: 2 checked (100 bytes), 0 repaired, 0 damaged\n" +
      "volume 2: 2 checked (100 bytes), 0 repaired, 1 damaged\n" +
      "  damaged 1a at 8: rot\n" +
      "damaged:1\n",
  );
  expect(await shell.run("volume.scrub -volumeId 1")).toContain("damaged:0\n");
  expect(await refusalOf(shell.run("volume.scrub -volumeId 9"))).toStartWith("not-found:");
});

test("volume.mark and volume.delete say exactly what they mean", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await shell.run("volume.mark -volumeId 1 -readonly")).toBe("volume 1 is read-only\n");
  expect(await shell.run("volume.mark -volumeId 1 -writable")).toBe("volume 1 is writable\n");
  expect(await refusalOf(shell.run("volume.mark -volumeId 2 -writable"))).toStartWith("refused:");
  expect(await refusalOf(shell.run("volume.delete -volumeId 1"))).toStartWith("refused:");
  expect(await shell.run("volume.delete -volumeId 1 -force")).toBe("deleted volume 1\n");
  expect(server.calls.at(-1)).toBe("DELETE /api/v1/volumes/1?force=true");
  const before = server.calls.length;
  for (const line of [
    "volume.mark -volumeId 1",
    "volume.mark -volumeId 1 -readonly -writable",
    "volume.mark -readonly",
    "volume.delete",
    "volume.delete -volumeId x",
  ]) {
    expect(await refusalOf(shell.run(line))).toStartWith("usage:");
  }
  expect(server.calls.length).toBe(before);
});
