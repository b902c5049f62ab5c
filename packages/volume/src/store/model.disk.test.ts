import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import {
  array,
  asyncProperty,
  assert as check,
  constant,
  constantFrom,
  nat,
  oneof,
  record,
  uniqueArray,
} from "fast-check";
import type { NeedleStore, VolumeClient } from "@kelp/wire";
import { MemoryVolumes } from "../testing/memory-volumes.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { ONE, VolumeWorld, content, fid, readPlain, scanAll } from "../testing/volume-world.ts";

// Few ids and cookies, so that needles meet; sizes on both sides of being copied into a batch.
const id = nat({ max: 7 }).map((value) => value + 1);
const cookie = nat({ max: 1 });
const size = oneof(nat({ max: 40 }), nat({ max: 100_000 }));

const step = oneof(
  record({ kind: constant("append" as const), id, cookie, size }),
  record({
    kind: constant("write" as const),
    id,
    cookie,
    size: nat({ max: 3 }),
    name: constantFrom("", "a", "n".repeat(300)),
    pairs: constantFrom({}, { Owner: "b" }),
    lastModifiedSec: nat({ max: 2 ** 31 }),
  }),
  record({ kind: constant("remove whole" as const), id, cookie }),
  record({ kind: constant("remove" as const), ids: uniqueArray(id, { maxLength: 4 }), cookie }),
  record({ kind: constant("reopen" as const) }),
  record({ kind: constant("lose the index file" as const) }),
  record({ kind: constant("tear the volume file" as const), bytes: nat({ max: 200 }) }),
);

test("for any history the store answers as the twin in memory, across reopening and losses", async () => {
  await check(
    asyncProperty(array(step, { maxLength: 25 }), async (steps) => {
      using world = new VolumeWorld();
      const twin = new MemoryVolumes();
      await twin.createVolume(ONE, { collection: "" });
      let store = await world.open();
      try {
        for (const [round, next] of steps.entries()) {
          switch (next.kind) {
            case "append": {
              const data = content(round, next.size);
              const address = fid(next.id, next.cookie);
              const expected = await codeOf(twin.append(address, data));
              expect(await codeOf(store.append(address, data))).toBe(expected);
              break;
            }
            case "write": {
              const { name, pairs, lastModifiedSec } = next;
              // Few contents, so that some are written twice.
              const needle = { data: content(next.size, next.size), name, pairs, lastModifiedSec };
              const address = fid(next.id, next.cookie);
              const expected = await outcomeOf(twin.writeNeedle(address, needle));
              expect(await outcomeOf(store.writeNeedle(address, needle))).toBe(expected);
              break;
            }
            case "remove whole": {
              const address = fid(next.id, next.cookie);
              const expected = await twin.removeNeedle(address);
              expect(await store.removeNeedle(address)).toBe(expected);
              break;
            }
            case "remove": {
              const fids = next.ids.map((each) => fid(each, next.cookie));
              await Promise.all([twin.remove(fids), store.remove(fids)]);
              break;
            }
            case "reopen":
            case "lose the index file":
            case "tear the volume file":
              await store.close();
              if (next.kind === "lose the index file") rmSync(world.indexPath);
              if (next.kind === "tear the volume file") {
                // What a crash leaves of an append that never finished.
                world.spoilData((data) =>
                  Buffer.concat([data, data.subarray(8, 8 + 20), Buffer.alloc(next.bytes)]),
                );
              }
              store = await world.open();
          }
        }
        expect(await everything(store)).toEqual(await everything(twin));
      } finally {
        await store.close();
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

/** What a write answers, or the code of its refusal. */
async function outcomeOf(write: Promise<string>): Promise<unknown> {
  const code = await codeOf(write);
  return code ?? (await write);
}

async function everything(client: VolumeClient & NeedleStore) {
  const [status] = await client.volumes();
  const contents: unknown[] = [];
  for (let each = 1; each <= 8; each++) {
    for (const someCookie of [0, 1]) {
      const address = fid(each, someCookie);
      contents.push(await readPlain(client, address));
      for (const removed of ["refuse", "read"] as const) {
        const needle = await client.readNeedle(address, { removed });
        contents.push(needle && { ...needle, appendedNs: 0n, data: [...needle.data] });
      }
    }
  }
  return {
    status: { ...status, createdMs: 0, modifiedMs: 0 },
    contents,
    // The twin has no clock.
    scanned: (await scanAll(client)).map((needle) => ({ ...needle, appendedNs: undefined })),
  };
}
