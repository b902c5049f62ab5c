import { expect, test } from "bun:test";
import {
  type Fid,
  type NeedleContent,
  type NeedleStore,
  type StoredNeedle,
  type VolumeClient,
  needleId,
  volumeId,
} from "@kelp/wire";
import { codeOf } from "./volume-client-contract.ts";

/** A world with an empty store, for one test. */
export interface NeedleWorld extends AsyncDisposable {
  readonly store: NeedleStore & Pick<VolumeClient, "append" | "read" | "remove" | "createVolume">;
}

const ONE = volumeId(1);

function fid(id: number, cookie = 0xc0ffee01): Fid {
  return { volumeId: ONE, needleId: needleId(BigInt(id)), cookie };
}

const WHOLE: NeedleContent = {
  data: Buffer.from("123456789"),
  name: "näme.txt",
  mediaType: "text/plain",
  lastModifiedSec: 1_700_000_000,
  pairs: { Owner: "a", Note: "b c" },
  isGzip: true,
  isChunkManifest: true,
};

/** What every `NeedleStore` owes its callers. Call it at the top of a test file. */
export function needleStoreContract(name: string, open: () => Promise<NeedleWorld>): void {
  const claim = (text: string, run: (store: NeedleWorld["store"]) => Promise<void>): void => {
    test(`${name}: ${text}`, async () => {
      await using world = await open();
      await world.store.createVolume(ONE, { collection: "c" });
      await run(world.store);
    });
  };

  claim("every field is read as it was written", async (store) => {
    expect(await store.writeNeedle(fid(1), WHOLE)).toBe("written");
    const needle = await store.readNeedle(fid(1));
    expect(contentOf(needle)).toEqual(contentOf(WHOLE));
    // The published check value of CRC-32C.
    expect(needle?.checksum).toBe(0xe306_9283);
    expect((needle?.appendedNs ?? 0n) > 0n).toBe(true);
  });

  claim("the collection of a volume is told", async (store) => {
    expect(store.collectionOf(ONE)).toBe("c");
    expect(store.collectionOf(volumeId(2))).toBeUndefined();
  });

  claim("data alone and whole needles are the same needles", async (store) => {
    await store.writeNeedle(fid(1), WHOLE);
    await store.append(fid(2), Uint8Array.of(7));
    expect([...((await store.read(fid(1))) ?? [])]).toEqual([...WHOLE.data]);
    expect(contentOf(await store.readNeedle(fid(2)))).toEqual({ data: [7] });
  });

  claim(
    "an absent needle, a removed one and one of another cookie are undefined",
    async (store) => {
      await store.writeNeedle(fid(1), WHOLE);
      await store.remove([fid(1)]);
      await store.writeNeedle(fid(2), WHOLE);
      expect(await store.readNeedle(fid(1))).toBeUndefined();
      expect(await store.readNeedle(fid(2, 1))).toBeUndefined();
      expect(await store.readNeedle(fid(3))).toBeUndefined();
    },
  );

  claim("a removed needle is read by who asks for it, with its cookie", async (store) => {
    await store.writeNeedle(fid(1), WHOLE);
    await store.removeNeedle(fid(1));
    const removed = await store.readNeedle(fid(1), { removed: "read" });
    expect(contentOf(removed)).toEqual(contentOf(WHOLE));
    expect(await store.readNeedle(fid(1, 1), { removed: "read" })).toBeUndefined();
    expect(await store.readNeedle(fid(2), { removed: "read" })).toBeUndefined();
  });

  claim(
    "an identical needle is unchanged, whatever its date; any other is written",
    async (store) => {
      await store.writeNeedle(fid(1), WHOLE);
      expect(await store.writeNeedle(fid(1), { ...WHOLE, lastModifiedSec: 1 })).toBe("unchanged");
      expect(await store.writeNeedle(fid(1), { ...WHOLE, name: "other" })).toBe("written");
      const ttl = { count: 200, unit: "year" } as const;
      expect(await store.writeNeedle(fid(1), { ...WHOLE, ttl })).toBe("written");
      expect(await store.writeNeedle(fid(1), { ...WHOLE, ttl })).toBe("written");
      await store.removeNeedle(fid(1));
      expect(await store.writeNeedle(fid(1), { ...WHOLE, ttl })).toBe("written");
    },
  );

  claim("removing tells the bytes of data, once", async (store) => {
    await store.writeNeedle(fid(1), WHOLE);
    await store.append(fid(2), new Uint8Array(0));
    expect(await store.removeNeedle(fid(1, 1))).toBeUndefined();
    expect(await store.removeNeedle(fid(1))).toBe(WHOLE.data.length);
    expect(await store.removeNeedle(fid(1))).toBeUndefined();
    expect(await store.removeNeedle(fid(2))).toBe(0);
    expect(await store.removeNeedle(fid(3))).toBeUndefined();
  });

  claim(
    "another cookie, a field that is too long and an absent volume are refused",
    async (store) => {
      await store.writeNeedle(fid(1), WHOLE);
      expect(await codeOf(store.writeNeedle(fid(1, 1), WHOLE))).toBe("cookie-mismatch");
      const long = { ...WHOLE, mediaType: "m".repeat(256) };
      expect(await codeOf(store.writeNeedle(fid(1), long))).toBe("invalid-needle");
      const elsewhere = { ...fid(1), volumeId: volumeId(9) };
      expect(await codeOf(store.writeNeedle(elsewhere, WHOLE))).toBe("no-such-volume");
      expect(await codeOf(store.readNeedle(elsewhere))).toBe("no-such-volume");
      expect(await codeOf(store.removeNeedle(elsewhere))).toBe("no-such-volume");
      expect(contentOf(await store.readNeedle(fid(1)))).toEqual(contentOf(WHOLE));
    },
  );
}

/** For comparing: what a needle holds, its data as numbers. */
function contentOf(needle: NeedleContent | StoredNeedle | undefined) {
  if (needle === undefined) return undefined;
  const { data, ...rest } = needle;
  const fields = Object.entries(rest).filter(([key]) => key !== "checksum" && key !== "appendedNs");
  return { ...Object.fromEntries(fields), data: [...data] };
}
