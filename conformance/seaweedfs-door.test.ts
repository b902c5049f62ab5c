import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KELP, KelpServer } from "./harness/kelp-server.ts";
import { mustRun } from "./harness/programs.ts";
import {
  type RecordedNeedle,
  fidOf,
  recordedNeedles,
  unpackFixture,
} from "./harness/seaweedfs-fixture.ts";

/** The folder of a real SeaweedFS under a real server, as its operator and its clients see it. */

const TEST_MS_MAX = 120_000;
// The server's clock is that of the machine, so what had a lifetime may be over.
const NEEDLES = recordedNeedles().filter(({ ttl }) => ttl === "");

interface Answer {
  readonly status: number;
  readonly md5: string;
  readonly headers: Headers;
}

async function get(server: KelpServer, fid: string): Promise<Answer> {
  const response = await fetch(`${server.volumeUrl}/${fid}`);
  const body = new Uint8Array(await response.arrayBuffer());
  const md5 = createHash("md5").update(body).digest("hex");
  return { status: response.status, md5, headers: response.headers };
}

/** Every needle is answered as SeaweedFS did, but those in `removed`, which are gone as what it had deleted is. */
async function expectAnswers(server: KelpServer, removed: ReadonlySet<string>): Promise<void> {
  for (const needle of NEEDLES) {
    const { status, md5, headers } = await get(server, needle.fid);
    const isLive = needle.state === "live" && !removed.has(needle.fid);
    expect([needle.fid, status]).toEqual([needle.fid, isLive ? 200 : 404]);
    if (!isLive) continue;
    expect([needle.fid, md5]).toEqual([needle.fid, needle.md5]);
    expect([needle.fid, headers.get("etag")]).toEqual([needle.fid, needle.etag]);
    // SeaweedFS guesses a type from the content where nobody told one, which Kelp does not.
    const { mime } = needle;
    const type = headers.get("content-type");
    expect(type).toMatch(/^[\w-]+\/[\w.+-]+/);
    if (needle.size > 0 && mime !== null && mime !== "application/octet-stream")
      expect(type).toStartWith(mime);
    for (const [name, value] of Object.entries(needle.headers)) {
      expect(headers.get(name.slice("Seaweed-".length))).toBe(value);
    }
  }
}

function shell(server: KelpServer, line: string): Promise<string> {
  return mustRun(KELP, ["shell", "--dir", server.dir, "-c", line]);
}

function firstOf(kind: string): RecordedNeedle {
  const found = NEEDLES.find((needle) => needle.kind === kind && needle.state === "live");
  if (found === undefined) throw new Error(`there is no live needle of ${kind}`);
  return found;
}

async function remove(server: KelpServer, { fid }: RecordedNeedle): Promise<void> {
  const response = await fetch(`${server.volumeUrl}/${fid}`, { method: "DELETE" });
  expect(response.status).toBe(202);
}

test(
  "a server serves the folder, loses four shards, takes appends and removals, vacuums, encodes and decodes, and is restarted",
  async () => {
    using folder = unpackFixture();
    const dir = mkdtempSync(join(tmpdir(), "kelp-door-"));
    using _removed = { [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
    const start = () => KelpServer.start({ dir, flags: ["--volume.dir", folder.path] });
    const removed = new Set<string>();
    {
      await using server = await start();
      await expectAnswers(server, removed);
      for (const shard of ["00", "05", "09", "13"]) rmSync(join(folder.path, `ec_22.ec${shard}`));
      await expectAnswers(server, removed);
      expect(await shell(server, "ec.rebuild")).toContain("made anew: 0,5,9,13\n");

      const submitted = await fetch(`${server.masterUrl}/submit?collection=pictures`, {
        method: "POST",
        body: "appended",
        headers: { "Seaweed-Owner": "ann" },
      });
      expect(submitted.status).toBe(201);
      const { fid } = (await submitted.json()) as { fid: string };
      expect((await get(server, fid)).headers.get("owner")).toBe("ann");
      for (const kind of ["bulk", "collection", "ec"]) {
        const needle = firstOf(kind);
        await remove(server, needle);
        removed.add(needle.fid);
      }
      await expectAnswers(server, removed);

      const { volumeId } = fidOf(firstOf("bulk"));
      await shell(server, "volume.vacuum -garbageThreshold=0.001");
      expect(await shell(server, `volume.list -volumeId=${volumeId}`)).toContain("delete_count:0 ");
      await shell(server, `volume.mark -volumeId=${volumeId} -readonly`);
      await shell(server, `ec.encode -volumeId=${volumeId}; ec.decode -volumeId=22`);
      await expectAnswers(server, removed);
    }
    await using server = await start();
    await expectAnswers(server, removed);
    expect(await shell(server, "volume.scrub")).toEndWith("\ndamaged:0\n");
    const files = readdirSync(folder.path);
    expect(files.filter((name) => /^ec_22\.ec\d\d$/.test(name))).toEqual([]);
  },
  TEST_MS_MAX,
);
