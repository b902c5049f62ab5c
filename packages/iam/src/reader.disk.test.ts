import { expect, test } from "bun:test";
import { silentLog } from "@kelp/base";
import { openDatabase, systemClock, systemHashes, systemRandom } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { objectArn } from "@kelp/wire";
import { openIam, openIamReader } from "./index.ts";

test("a reader answers as of its last reload, revocations included", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/iam.db`;
  const common = {
    root: { accessKeyId: "rootkey", secret: "root-secret" },
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
    log: silentLog,
  };
  using database = openDatabase(path);
  const iam = openIam({ ...common, database });
  using readable = openDatabase(path, "read-only");
  const reader = openIamReader({ ...common, database: readable });
  const asAda = {
    principal: { kind: "identity", name: "ada" },
    action: "s3:GetObject",
    resource: objectArn("b", "k"),
  } as const;

  await iam.putIdentity({ name: "ada", actions: ["Read:b"] });
  const key = await iam.createKey("ada");
  expect([reader.findKey(key.id), reader.authorize(asAda).kind]).toEqual([undefined, "deny"]);
  reader.reload();
  expect([reader.findKey(key.id)?.secret, reader.authorize(asAda).kind]).toEqual([
    key.secret,
    "allow",
  ]);
  await iam.setKeyActive("ada", key.id, "inactive");
  await iam.putIdentity({ name: "ada", actions: [] });
  reader.reload();
  expect([reader.findKey(key.id), reader.authorize(asAda).kind]).toEqual([undefined, "deny"]);
  expect(reader.findKey("rootkey" as typeof key.id)?.principal.kind).toBe("root");
});
