import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@kelp/base/testing";
import { exposureOf } from "./exposed-key.ts";

test("a key file that others can read or write is told, one for owner and group is not", () => {
  using folder = temporaryFolder();
  const key = join(folder.path, "key");
  writeFileSync(key, "");
  for (const mode of [0o600, 0o400, 0o440, 0o640]) {
    chmodSync(key, mode);
    expect(exposureOf(`file:${key}`, "/nowhere")).toBeUndefined();
  }
  for (const mode of [0o644, 0o604, 0o602, 0o666]) {
    chmodSync(key, mode);
    expect(exposureOf(`file:${key}`, "/nowhere")).toContain(`its mode is ${mode.toString(8)}`);
  }
  expect(exposureOf("env:KEY", "/nowhere")).toBeUndefined();
});

test("a key file in the data folder is told, whatever the folder is called", () => {
  using folder = temporaryFolder();
  const data = join(folder.path, "data");
  mkdirSync(data);
  symlinkSync(data, join(folder.path, "link"));
  for (const place of [data, `${data}-keys`]) {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "key"), "", { mode: 0o600 });
  }
  for (const dir of [data, join(folder.path, "link")]) {
    expect(exposureOf(`file:${join(data, "key")}`, dir)).toContain("in the data folder");
    expect(exposureOf(`file:${join(`${data}-keys`, "key")}`, dir)).toBeUndefined();
  }
});
