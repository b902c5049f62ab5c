import { expect, test } from "bun:test";
import { sourceFile } from "../source-file.ts";
import { violationsOf } from "../tidy.ts";
import { wallsRule } from "./walls.ts";

function check(path: string, text: string): string[] {
  return violationsOf(wallsRule, [sourceFile(path, text)]);
}

test("a room may see a lower floor", () => {
  expect(check("packages/s3/src/a.ts", 'import { assert } from "@kelp/base";\n')).toEqual([]);
  expect(check("packages/s3/src/a.ts", 'import type { Filer } from "@kelp/wire";\n')).toEqual([]);
});

test("a room may not see a higher floor, not even a type", () => {
  expect(check("packages/filer/src/a.ts", 'import type { X } from "@kelp/s3";\n')).toEqual([
    "packages/filer/src/a.ts:1: filer may not see s3, which is above it: declare a port in @kelp/wire (walls)",
  ]);
});

test("a room sees its own floor through the client door only", () => {
  const door = 'import { x } from "@kelp/volume/client";\n';
  const main = 'import { x } from "@kelp/volume";\n';
  expect(check("packages/filer/src/a.ts", door)).toEqual([]);
  expect(check("packages/filer/src/a.ts", main)).toHaveLength(1);
});

test("an exception of the table holds for that pair and direction only", () => {
  expect(check("packages/pipelines/src/a.ts", 'import { x } from "@kelp/lineage";\n')).toEqual([]);
  expect(check("packages/lineage/src/a.ts", 'import { x } from "@kelp/pipelines";\n')).toHaveLength(
    1,
  );
});

test("a relative import may not leave the room", () => {
  expect(check("packages/s3/src/a.ts", 'import { x } from "./b.ts";\n')).toEqual([]);
  expect(check("packages/s3/src/a.ts", 'import { x } from "../../filer/src/b.ts";\n')).toEqual([
    "packages/s3/src/a.ts:1: ../../filer/src/b.ts leaves the room: import the other room's door (@kelp/…) (walls)",
  ]);
});

test("a package that is not on the list is refused, also loaded late or only for effect", () => {
  expect(check("packages/base/src/a.ts", 'import x from "left-pad";\n')).toHaveLength(1);
  expect(check("packages/base/src/a.ts", 'import "left-pad";\n')).toHaveLength(1);
  expect(check("packages/base/src/a.ts", 'const x = await import("left-pad");\n')).toHaveLength(1);
  expect(check("packages/base/src/a.ts", 'export { x } from "left-pad";\n')).toHaveLength(1);
  expect(check("packages/s3/src/a.ts", 'import { x } from "@rgrove/parse-xml";\n')).toEqual([]);
});

test("an import over several lines is found, its last line named", () => {
  const text = 'import {\n  a,\n  type B,\n} from "left-pad";\n';
  expect(check("packages/base/src/a.ts", text)).toEqual([
    "packages/base/src/a.ts:4: base may not use left-pad: a dependency needs a decision record and a place in tools/tidy/rooms.ts (walls)",
  ]);
});

test("the word from elsewhere is no import", () => {
  const text = 'const a = Buffer.from("left-pad");\nconst b = from ? "x" : "y";\n';
  expect(check("packages/base/src/a.ts", text)).toEqual([]);
});

test("words in comments and strings are no imports", () => {
  const text = '// import x from "left-pad"\nconst a = `import x from "left-pad"`;\n';
  expect(check("packages/base/src/a.ts", text)).toEqual([]);
});

test("the real machine is for services and tests", () => {
  const text = 'import { systemDisk } from "@kelp/base/platform";\n';
  expect(check("packages/filer/src/a.ts", text)).toHaveLength(1);
  expect(check("packages/filer/src/a.test.ts", text)).toEqual([]);
  expect(check("services/all-in-one/src/a.ts", text)).toEqual([]);
});

test("helps for tests stay out of the product", () => {
  const text = 'import { temporaryFolder } from "@kelp/base/testing";\n';
  expect(check("packages/filer/src/a.ts", text)).toHaveLength(1);
  expect(check("packages/filer/src/testing/a.ts", text)).toEqual([]);
});

test("a room must stand in the table", () => {
  expect(check("packages/attic/src/a.ts", "export const x = 1;\n")).toHaveLength(1);
});
