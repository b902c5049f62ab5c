import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemDisk, systemRandom } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type GivenCredentials, loadCredentials, readCredentials } from "./credentials.ts";

const DEPS = { disk: systemDisk, random: systemRandom };
const NONE: GivenCredentials = {
  accessKey: undefined,
  secretKey: undefined,
  signingKeys: {
    jwt_signing_key: undefined,
    jwt_signing_read_key: undefined,
    jwt_filer_signing_key: undefined,
    jwt_filer_signing_read_key: undefined,
  },
};
const OLD = {
  access_key: "KELPOLD",
  secret_key: "an-old-secret-key",
  console_token: "an-old-console-token-of-those-days",
};

test("a folder of before gets its signing keys, and keeps them and all else", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "credentials.json");
  writeFileSync(path, JSON.stringify(OLD));
  const first = await loadCredentials(path, NONE, DEPS);
  expect(first).toMatchObject(OLD);
  const keys = Object.entries(first).filter(([name]) => name.startsWith("jwt_"));
  expect(new Set(keys.map(([, key]) => key)).size).toBe(4);
  expect(await loadCredentials(path, NONE, DEPS)).toEqual(first);
  expect(readCredentials(path)).toEqual(first);
});

test("a signing key that is given is kept in place of the stored one", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "credentials.json");
  const first = await loadCredentials(path, NONE, DEPS);
  const jwt_signing_key = "a-key-of-the-operator";
  const given = { ...NONE, signingKeys: { ...NONE.signingKeys, jwt_signing_key } };
  expect(await loadCredentials(path, given, DEPS)).toEqual({ ...first, jwt_signing_key });
  expect((await loadCredentials(path, NONE, DEPS)).jwt_signing_key).toBe(jwt_signing_key);
});

test("a weak signing key, or one for two kinds of token, is refused and not told", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "credentials.json");
  const shared = "one-key-for-everything";
  for (const signingKeys of [
    { ...NONE.signingKeys, jwt_signing_key: "short" },
    { ...NONE.signingKeys, jwt_signing_key: "with a space in the key" },
    { ...NONE.signingKeys, jwt_signing_key: shared, jwt_signing_read_key: shared },
  ]) {
    const error = await loadCredentials(path, { ...NONE, signingKeys }, DEPS).catch(String);
    expect(error).toContain("KELP_JWT_SIGNING_KEY");
    expect(error).not.toContain("short");
    expect(error).not.toContain(shared);
  }
  expect(() => readFileSync(path)).toThrow();
});
