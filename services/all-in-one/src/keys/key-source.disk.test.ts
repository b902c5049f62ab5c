import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@kelp/base/testing";
import { readMasterKey } from "./key-source.ts";
import { makeMasterKeyFile } from "./make-key-file.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 1);
const HEX = Buffer.from(KEY).toString("hex");
const BASE64 = Buffer.from(KEY).toString("base64");

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "accepted";
}

test("a key is read in every spelling, from file and environment", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "key");
  const spellings = [
    HEX,
    ` ${HEX.toUpperCase()}\n`,
    BASE64,
    BASE64.replace("=", ""),
    Buffer.from(KEY),
  ];
  for (const spelling of spellings) {
    writeFileSync(file, spelling);
    expect(Buffer.from(readMasterKey(`file:${file}`, {})).equals(KEY)).toBe(true);
  }
  expect(Buffer.from(readMasterKey("env:K", { K: HEX })).equals(KEY)).toBe(true);
});

test("what is no key is refused, and never repeated", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "key");
  mkdirSync(join(folder.path, "folder"));
  const secret = HEX.slice(0, 62);
  for (const content of [
    secret,
    `${HEX}00`,
    "",
    "0".repeat(64),
    "A".repeat(43),
    "x".repeat(5000),
  ]) {
    writeFileSync(file, content);
    const message = messageOf(() => readMasterKey(`file:${file}`, {}));
    expect(message).toStartWith(`Cannot use the master key file:${file}: `);
    expect(message).not.toContain(secret.slice(0, 16));
  }
  expect(messageOf(() => readMasterKey(`file:${folder.path}/none`, {}))).toContain("ENOENT");
  expect(messageOf(() => readMasterKey(`file:${folder.path}/folder`, {}))).toContain("folder");
  expect(messageOf(() => readMasterKey("file:key", {}))).toContain("begin with a slash");
  expect(messageOf(() => readMasterKey("env:NONE", {}))).toContain("no such variable");
  expect(messageOf(() => readMasterKey("kms:aws/1", {}))).toContain("not supported yet");
  for (const source of [HEX, "", "file:", ":x", "vault:x"]) {
    expect(messageOf(() => readMasterKey(source, {}))).toBe(
      "A master key is named as file:/PATH or env:NAME",
    );
  }
});

test("a new key file is random, for its owner alone, and takes nobody's place", () => {
  using folder = temporaryFolder();
  const [first, second] = [join(folder.path, "a"), join(folder.path, "b")];
  expect(makeMasterKeyFile(first).keyId).not.toBe(makeMasterKeyFile(second).keyId);
  expect(readMasterKey(`file:${first}`, {}).length).toBe(32);
  expect(statSync(first).mode & 0o777).toBe(0o600);
  const before = readFileSync(first, "utf8");
  expect(messageOf(() => makeMasterKeyFile(first))).toContain("EEXIST");
  expect(readFileSync(first, "utf8")).toBe(before);
});
