import { beforeAll, describe, expect, test } from "bun:test";
import { must } from "@kelp/base";
import { type DiskImage, SeededRandom } from "@kelp/base/testing";
import { checkVolume, sourceOf } from "@kelp/conformance/checker";
import { type RottingStore, makeRottingStore, readRotten, withFlippedBit } from "./bit-rot.ts";

/** Bits flipped in all, each in a store of its own. */
const FLIPS = { needles: 400, indexes: 150, pages: 300, log: 150 };
const LAST = 200;

let pages: RottingStore;
let log: RottingStore;

beforeAll(async () => {
  pages = await makeRottingStore("pages");
  log = await makeRottingStore("log");
});

async function flipped(store: RottingStore, path: string, bit: number) {
  const report = await readRotten(withFlippedBit(store.image, path, bit), store.objects);
  const isFound = report.findings === undefined || report.findings.length > 0;
  return { readings: new Set(report.readings), isFound };
}

function pathsOf(image: DiskImage, end: string): string[] {
  return [...image].flatMap(([path, content]) =>
    path.endsWith(end) && content !== undefined && content.length > 0 ? [path] : [],
  );
}

/** Offsets of everything in live needles that matters to a reader: header, body, checksum. */
function needleBytes(image: DiskImage): { readonly path: string; readonly at: number }[] {
  return pathsOf(image, ".dat").flatMap((path) => {
    const data = sourceOf(must(image.get(path)));
    const places: { path: string; at: number }[] = [];
    for (const { offset, bodyBytes } of checkVolume({ data }).live.values()) {
      // Of a large needle no more than of others, so that small ones are met as often.
      for (let byte = 0; byte < 20 + bodyBytes; byte += Math.max(1, bodyBytes >> 9)) {
        places.push({ path, at: offset + byte });
      }
    }
    return places;
  });
}

describe("one flipped bit", () => {
  test("nothing is wrong with the stores before", async () => {
    for (const { image, objects } of [pages, log]) {
      const report = await readRotten(image, objects);
      expect(new Set(report.readings)).toEqual(new Set(["right"]));
      expect(report.findings).toEqual([]);
    }
  });

  test(`in a needle gives no wrong bytes and is found by a check: ${FLIPS.needles} of ${FLIPS.needles}`, async () => {
    const random = new SeededRandom(1);
    const places = needleBytes(pages.image);
    for (let flip = 0; flip < FLIPS.needles; flip += 1) {
      const { path, at } = random.pick(places);
      const { readings, isFound } = await flipped(pages, path, at * 8 + random.below(8));
      // A reader that knows the hash of the data does not look at the needle's checksum: the check does.
      expect(readings.isSubsetOf(new Set(["right", "error"]))).toBe(true);
      expect({ path, at, isFound }).toEqual({ path, at, isFound: true });
    }
  }, 60_000);

  test("in an index is an error of a reader at worst, and then found by a check", async () => {
    const random = new SeededRandom(2);
    const paths = pathsOf(pages.image, ".idx");
    for (let flip = 0; flip < FLIPS.indexes; flip += 1) {
      const path = random.pick(paths);
      const bit = random.below(must(pages.image.get(path)).length * 8);
      const { readings, isFound } = await flipped(pages, path, bit);
      expect(readings.isSubsetOf(new Set(["right", "error"]))).toBe(true);
      expect(isFound || !readings.has("error")).toBe(true);
    }
  }, 60_000);

  test("in a page of the database never gives wrong bytes, and what it hides is found by a check", async () => {
    const random = new SeededRandom(3);
    const [path = ""] = pathsOf(pages.image, "filer.db");
    for (let flip = 0; flip < FLIPS.pages; flip += 1) {
      const bit = random.below(must(pages.image.get(path)).length * 8);
      const { readings, isFound } = await flipped(pages, path, bit);
      expect(readings.has("wrong") || readings.has("earlier")).toBe(false);
      expect(isFound || (readings.size === 1 && readings.has("right"))).toBe(true);
    }
  }, 60_000);

  test("in the write-ahead log takes back one operation at most, or the store does not open", async () => {
    const random = new SeededRandom(4);
    const [path = ""] = pathsOf(log.image, "filer.db-wal");
    for (let flip = 0; flip < FLIPS.log; flip += 1) {
      const bit = random.below(must(log.image.get(path)).length * 8);
      const report = await readRotten(withFlippedBit(log.image, path, bit), log.objects);
      if (report.findings === undefined) continue;
      const lost = report.readings.filter((reading) => reading !== "right");
      expect(lost.length).toBeLessThanOrEqual(1);
      expect(lost).not.toContain("wrong");
    }
  }, 60_000);
});

test("a file cut off at every byte of its last records opens, and nothing before them is lost", async () => {
  const { image, objects } = log;
  for (const path of [
    ...pathsOf(image, "3.dat"),
    ...pathsOf(image, "3.idx"),
    ...pathsOf(image, "-wal"),
  ]) {
    const content = must(image.get(path));
    for (let cut = 1; cut < Math.min(LAST, content.length); cut += 1) {
      const torn = new Map(image).set(path, content.subarray(0, content.length - cut));
      const { readings } = await readRotten(torn, objects);
      const lost = readings.filter((reading) => reading !== "right").length;
      // An index is completed from its volume. Of the others no more than the last record is gone.
      expect(lost).toBeLessThanOrEqual(path.endsWith(".idx") ? 0 : 1);
    }
  }
}, 120_000);
