import { expect, test } from "bun:test";
import { openManagementServer } from "../testing/management-server.ts";
import { refusalOf, shellFor } from "../testing/shells.ts";

test("s3.configure shows the result, and does it with -apply", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  const line =
    "s3.configure -user minio -access_key minio -secret_key minio123 -actions Read,Write,List";
  const shown = {
    identities: [
      {
        name: "minio",
        credentials: [{ accessKey: "minio", status: "Active" }],
        actions: ["Read", "Write", "List"],
        disabled: false,
      },
    ],
  };
  const dry = await shell.run(line);
  expect(JSON.parse(dry)).toEqual(shown);
  expect(dry).not.toContain("minio123");
  expect(server.identities.size).toBe(0);
  expect(JSON.parse(await shell.run(`${line} -apply`))).toEqual(shown);
  const minio = server.identities.get("minio");
  expect(minio?.actions).toEqual(["Read", "Write", "List"]);
  expect([...(minio?.keys ?? [])]).toEqual([["minio", "minio123"]]);
  expect(JSON.parse(await shell.run("s3.configure"))).toEqual(shown);
});

test("s3.configure adds to what is there, and gives a key another secret", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  await shell.run("s3.configure -user u -access_key k1 -secret_key secret-1 -actions Read -apply");
  await shell.run("s3.configure -user u -actions Write,Read -buckets x,y -apply");
  await shell.run("s3.configure -user u -access_key k1 -secret_key secret-2 -apply");
  await shell.run("s3.configure -user u -access_key k2 -secret_key secret-3 -apply");
  const user = server.identities.get("u");
  expect(user?.actions).toEqual(["Read", "Write:x", "Read:x", "Write:y", "Read:y"]);
  expect([...(user?.keys ?? [])]).toEqual([
    ["k1", "secret-2"],
    ["k2", "secret-3"],
  ]);
});

test("s3.configure -delete takes away what is named, or the whole identity", async () => {
  await using server = await openManagementServer();
  const keys = new Map([
    ["k1", "s1"],
    ["k2", "s2"],
  ]);
  server.identities.set("u", { actions: ["Read", "Write:x"], isDisabled: false, keys });
  const shell = shellFor(server);
  await shell.run("s3.configure -user u -actions Write -buckets x -delete -apply");
  await shell.run("s3.configure -user u -access_key k1 -delete -apply");
  expect(server.identities.get("u")?.actions).toEqual(["Read"]);
  expect([...keys.keys()]).toEqual(["k2"]);
  await shell.run("s3.configure -user u -delete");
  expect(server.identities.has("u")).toBe(true);
  await shell.run("s3.configure -user u -delete -apply");
  expect(server.identities.has("u")).toBe(false);
  expect(await refusalOf(shell.run("s3.configure -user u -delete"))).toStartWith("not-found:");
});

test("users and keys are made, shown without secrets, switched and deleted", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await shell.run("s3.user.create -name ann -actions Read,List:b")).toBe(
    "created user ann\naccess_key: AKIAMADE\nsecret_key: made-secret\n",
  );
  expect(await refusalOf(shell.run("s3.user.create -name ann"))).toStartWith("refused:");
  expect(await shell.run("s3.accesskey.create -user ann -access_key k -secret_key ssssssss")).toBe(
    "access_key: k\nsecret_key: ssssssss\n",
  );
  expect(await shell.run("s3.accesskey.list -user ann")).toBe(
    "  AKIAMADE\tActive\t2026-01-02T03:04:05.000Z\n  k\tActive\t2026-01-02T03:04:05.000Z\n",
  );
  expect(await shell.run("s3.accesskey.delete -user ann -access_key k")).toBe(
    "deleted access key k\n",
  );
  await shell.run("s3.user.disable -name ann");
  expect(await shell.run("s3.user.list")).toBe("  ann\tkeys:1\tactions:Read,List:b\tdisabled\n");
  await shell.run("s3.user.enable -name ann");
  expect(await shell.run("s3.user.list")).toBe("  ann\tkeys:1\tactions:Read,List:b\n");
  expect(await shell.run("s3.user.show -name ann")).not.toContain("secret");
  expect(await shell.run("s3.user.delete -name ann")).toBe("deleted user ann\n");
  expect(await refusalOf(shell.run("s3.user.delete -name ann"))).toStartWith("not-found:");
  expect(await refusalOf(shell.run("s3.user.delete -name .."))).toStartWith("usage:");
});
