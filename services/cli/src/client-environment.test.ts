import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { shellQuoted } from "./client-environment.ts";

test("what is quoted comes out of a shell as it went in", () => {
  for (const text of [
    "plain",
    "a b",
    "it's",
    '$HOME `x` "y"',
    "",
    "-n",
    "a\nb",
    "http://h:1/a?b=c&d",
  ]) {
    const printed = spawnSync("/bin/sh", ["-c", `printf '%s' ${shellQuoted(text)}`], {
      encoding: "utf8",
    });
    expect(printed.stdout).toBe(text);
  }
});
