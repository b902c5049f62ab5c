import { expect, test } from "bun:test";
import type { Rule } from "../rule.ts";
import { sourceFile } from "../source-file.ts";
import { violationsOf } from "../tidy.ts";
import { codesOf, documentsRule } from "./documents.ts";
import { exportsRule } from "./exports.ts";
import { manifestsRule } from "./manifests.ts";
import { textRule } from "./text.ts";

function check(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  return violationsOf(
    rule,
    Object.entries(files).map(([path, text]) => sourceFile(path, text)),
  );
}

test("exports: a star is refused, with or without type", () => {
  const files = {
    "packages/s3/src/a.ts": 'export * from "./b.ts";\nexport type * from "./c.ts";\n',
  };
  expect(check(exportsRule, files)).toHaveLength(2);
});

test("exports: a default is refused except where a tool reads it", () => {
  expect(check(exportsRule, { "packages/s3/src/a.ts": "export default 1;\n" })).toHaveLength(1);
  const config = { "packages/console/web/vite.config.ts": "export default {};\n" };
  expect(check(exportsRule, config)).toEqual([]);
});

test("manifests: an import that the room did not ask for is refused", () => {
  const manifest = JSON.stringify({ dependencies: { "@kelp/base": "workspace:*" } });
  const text = 'import { assert } from "@kelp/base";\nimport type { X } from "@kelp/wire";\n';
  expect(
    check(manifestsRule, { "packages/s3/package.json": manifest, "packages/s3/src/a.ts": text }),
  ).toEqual([
    "packages/s3/src/a.ts:2: @kelp/wire is not a dependency in the package.json of s3 (manifests)",
  ]);
});

test("text: a file above the limit is refused, one at the limit is not", () => {
  expect(check(textRule, { "packages/s3/src/a.ts": "\n".repeat(601) })).toHaveLength(1);
  expect(check(textRule, { "packages/s3/src/a.ts": "\n".repeat(600) })).toEqual([]);
});

test("text: a path of one machine is refused, also in documents and comments", () => {
  const planted = ["", "home", "someone", "kelp"].join("/");
  expect(check(textRule, { "docs/a.md": `see ${planted}\n` })).toHaveLength(1);
  expect(check(textRule, { "packages/s3/src/a.ts": `// see ${planted}\n` })).toHaveLength(1);
  expect(check(textRule, { "docs/a.md": "see https://example.org/home/page\n" })).toEqual([]);
});

test("text: a promise needs the number of a decision", () => {
  const word = ["TO", "DO"].join("");
  expect(check(textRule, { "packages/s3/src/a.ts": `// ${word}: later\n` })).toHaveLength(1);
  expect(check(textRule, { "packages/s3/src/a.ts": `// ${word}(0007): later\n` })).toEqual([]);
});

test("documents: a room without a page is refused", () => {
  const manifest = { "packages/s3/package.json": "{}" };
  expect(check(documentsRule, manifest)).toHaveLength(1);
  expect(check(documentsRule, { ...manifest, "packages/s3/README.md": "x" })).toEqual([]);
});

test("documents: an error code without a line is refused", () => {
  const files = {
    "packages/iam/src/errors.ts": 'export type IamErrorCode = "no-such-identity" | "bad-name";\n',
    "docs/errors.md": "## iam\n| `bad-name` | the name |\n## s3\n`no-such-identity`\n",
  };
  expect(check(documentsRule, files)).toEqual([
    'packages/iam/src/errors.ts: no-such-identity is not under "## iam" in docs/errors.md (documents)',
  ]);
});

test("documents: codes of a catalogue are found", () => {
  const text = 'const CATALOGUE = {\n  A1: [400, "a"],\n  BTwo: [\n    403,\n  ],\n} as const;\n';
  expect(codesOf(sourceFile("packages/s3/src/errors.ts", text))).toEqual(["A1", "BTwo"]);
});
