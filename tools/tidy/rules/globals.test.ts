import { expect, test } from "bun:test";
import { sourceFile } from "../source-file.ts";
import { violationsOf } from "../tidy.ts";
import { globalsRule } from "./globals.ts";

function check(path: string, text: string): string[] {
  return violationsOf(globalsRule, [sourceFile(path, text)]);
}

const PLANTED: readonly (readonly [text: string, replacement: string])[] = [
  ["const x = Bun.file('a');", "a port of @kelp/base"],
  ['import { Database } from "bun:sqlite";', "a port of @kelp/base"],
  ['import { readFileSync } from "node:fs";', "the Disk port"],
  ['import { readFile } from "node:fs/promises";', "the Disk port"],
  ['import { spawn } from "node:child_process";', "a port that services/ hand in"],
  ['import { createServer } from "node:http";', "HttpDoor or FetchDoor"],
  ['import cluster from "node:cluster";', "HttpDoor or FetchDoor"],
  ["const x = Date.now();", "the Clock port"],
  ["const x = performance.now();", "the Clock port"],
  ["const x = new Date();", "clock.nowMs()"],
  ["const x = Math.random();", "the Random port"],
  ["const x = crypto.randomUUID();", "the Random port"],
  ["const x = randomBytes(4);", "the Random port"],
  ["setTimeout(run, 5);", "the Clock port"],
  ["setInterval(run, 5);", "the Clock port"],
  ["const x = process.env.HOME;", "a parameter that services/ fill"],
  ["process.exit(1);", "a parameter that services/ fill"],
  ["console.log(1);", "the Log port"],
];

for (const [text, replacement] of PLANTED) {
  test(`refuses in a room, naming the replacement: ${text}`, () => {
    const [violation = "", ...others] = check("packages/filer/src/a.ts", `\n${text}\n`);
    expect(violation).toStartWith("packages/filer/src/a.ts:2: ");
    expect(violation).toContain(replacement);
    expect(others).toEqual([]);
  });
}

test("what takes a time is allowed", () => {
  expect(check("packages/filer/src/a.ts", "const x = new Date(clock.nowMs());\n")).toEqual([]);
});

test("a type of a banned module is allowed", () => {
  const text = 'import type { IncomingMessage } from "node:http";\n';
  expect(check("packages/filer/src/a.ts", text)).toEqual([]);
});

test("a method of the same name is allowed", () => {
  expect(check("packages/filer/src/a.ts", "socket.setTimeout(5);\n")).toEqual([]);
});

test("words in comments and strings are allowed", () => {
  const text = '// Date.now() steps\nconst a = "Date.now()";\nconst b = /process.env/;\n';
  expect(check("packages/filer/src/a.ts", text)).toEqual([]);
});

test("code inside a template string counts as code", () => {
  expect(check("packages/filer/src/a.ts", "const a = `at ${Date.now()} ms`;\n")).toHaveLength(1);
});

test("each has a home", () => {
  expect(check("packages/base/src/platform/a.ts", "const x = Date.now();\n")).toEqual([]);
  expect(check("services/cli/src/a.ts", "process.exit(1);\n")).toEqual([]);
  expect(check("packages/base/src/platform/a.ts", 'import { x } from "node:net";\n')).toEqual([]);
  expect(check("packages/filer/src/a.test.ts", "setTimeout(run, 5);\n")).toEqual([]);
  expect(check("packages/console/web/src/a.tsx", "setTimeout(run, 5);\n")).toEqual([]);
});

test.each(["packages/s3/src/server/a.ts", "services/all-in-one/src/a.ts"])(
  "doors of %s do not stand on the runtime's server",
  (path) => {
    expect(check(path, 'import { createServer } from "node:http";\n')).toHaveLength(1);
  },
);

test("standard output has no home in services either", () => {
  expect(check("services/cli/src/a.ts", "console.log(1);\n")).toHaveLength(1);
});
