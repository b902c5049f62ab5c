import { expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { openShell, runLine, runSession } from "./index.ts";
import { openManagementServer } from "./testing/management-server.ts";
import { fill, refusalOf, shellFor } from "./testing/shells.ts";

test("a refusal of the server is one line in its words", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await refusalOf(shell.run("s3.bucket.create -name NO"))).toBe(
    "refused: The bucket name is not valid",
  );
  const stranger = openShell({ baseUrl: server.baseUrl, token: undefined });
  expect(await refusalOf(stranger.run("s3.bucket.list"))).toBe(
    "refused: Sign in first (pass a token, or run as the server's user)",
  );
});

test("a server that is not there is said so", async () => {
  const server = await openManagementServer();
  await server[Symbol.asyncDispose]();
  expect(await refusalOf(shellFor(server).run("s3.bucket.list"))).toStartWith("unreachable:");
});

test("a connection that breaks in the middle of an object fails the command", async () => {
  await using server = await openManagementServer();
  fill(server, "data", { broken: "" });
  expect(await refusalOf(shellFor(server).run("fs.cat /buckets/data/broken"))).toStartWith(
    "unreachable:",
  );
});

test("a command that is ended by hand says so", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  const output = { write: () => Promise.resolve() };
  const signal = AbortSignal.abort();
  expect(await refusalOf(shell.execute("s3.bucket.list", output, signal))).toBe(
    "interrupted: Interrupted",
  );
});

test("completion knows commands, flags, buckets, users and paths", async () => {
  await using server = await openManagementServer();
  fill(server, "data", { "folder/a": "1", "folder/b": "2", file: "3" });
  server.identities.set("ann", { actions: [], isDisabled: false, keys: new Map() });
  const shell = shellFor(server);
  const words = async (line: string): Promise<readonly string[]> =>
    (await shell.complete(line)).words;
  expect(await words("s3.bucket.c")).toEqual(["s3.bucket.create"]);
  expect(await words("fs.pwd; volume.l")).toEqual(["volume.list"]);
  expect(await words("s3.bucket.quota -s")).toEqual(["-sizeMB"]);
  expect(await words("s3.bucket.delete -name d")).toEqual(["data"]);
  expect(await words("s3.accesskey.list -user a")).toEqual(["ann"]);
  expect(await words("help volume.l")).toEqual(["volume.list"]);
  expect(await words("fs.ls b")).toEqual(["buckets/"]);
  expect(await words("fs.ls /buckets/")).toEqual(["/buckets/data/"]);
  expect(await words("fs.ls /buckets/data/fo")).toEqual(["/buckets/data/folder/"]);
  expect(await words("fs.ls buckets/data/folder/")).toEqual([
    "buckets/data/folder/a",
    "buckets/data/folder/b",
  ]);
  await shell.run("fs.cd buckets/data/folder");
  expect(await words("fs.cat ")).toEqual(["a", "b"]);
  expect(await words("fs.cat ../f")).toEqual(["../file", "../folder/"]);
  expect(await words("fs.cat /etc/")).toEqual([]);
  expect(await words("nonsense x")).toEqual([]);
});

interface Streams {
  readonly input: PassThrough;
  readonly output: PassThrough;
  readonly errorOutput: PassThrough;
}

function streams(): Streams {
  return {
    input: new PassThrough(),
    output: new PassThrough(),
    errorOutput: new PassThrough(),
  };
}

test("a line given as an argument tells failure by its status and one line", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  const { output, errorOutput } = streams();
  expect(await runLine(shell, "fs.pwd", { output, errorOutput })).toBe(0);
  expect(await runLine(shell, "s3.bucket.delete -name none", { output, errorOutput })).toBe(1);
  output.end();
  errorOutput.end();
  expect(await text(output)).toBe("/\n");
  expect(await text(errorOutput)).toBe("error: There is no bucket none\n");
});

test("piped lines are run to the end, whatever fails, and the status remembers", async () => {
  await using server = await openManagementServer();
  const all = streams();
  all.input.write("s3.bucket.create -name one\r\nnonsense\n\n# a comment\ns3.bucket.cre");
  all.input.end("ate -name two");
  const status = await runSession(shellFor(server), { ...all, isTerminal: false });
  all.output.end();
  all.errorOutput.end();
  expect(status).toBe(1);
  expect([...server.buckets.keys()]).toEqual(["one", "two"]);
  expect(await text(all.errorOutput)).toBe("error: There is no command nonsense: try help\n");
  expect(await text(all.output)).not.toContain(">");
});

test("at a terminal there is a prompt, and history keeps no secrets", async () => {
  await using server = await openManagementServer();
  const all = streams();
  const kept: (readonly string[])[] = [];
  const session = runSession(shellFor(server), {
    ...all,
    isTerminal: true,
    history: ["fs.ls"],
    onHistory: (lines) => kept.push(lines),
  });
  all.input.write("fs.pwd\r");
  all.input.write("s3.configure -user u -access_key kk -secret_key hidden-secret\r");
  all.input.write("exit\r");
  expect(await session).toBe(0);
  all.output.end();
  const shown = await text(all.output);
  expect(shown).toContain("> ");
  expect(shown).toContain("/\n");
  expect(kept.at(-1)).toContain("fs.pwd");
  expect(kept.at(-1)).toContain("fs.ls");
  expect(JSON.stringify(kept)).not.toContain("hidden-secret");
});

test("control-C drops a half-typed line, and ends the session on an empty one", async () => {
  await using server = await openManagementServer();
  const all = streams();
  const session = runSession(shellFor(server), { ...all, isTerminal: true });
  all.input.write("s3.bucket.create -name dropped");
  all.input.write("\u0003");
  all.input.write("s3.bucket.create -name kept\r");
  all.input.write("exit\r");
  expect(await session).toBe(0);
  expect([...server.buckets.keys()]).toEqual(["kept"]);
  const empty = streams();
  const ended = runSession(shellFor(server), { ...empty, isTerminal: true });
  empty.input.write("\u0003");
  expect(await ended).toBe(0);
});

test("a terminal that closes behind a command lets the command finish", async () => {
  await using server = await openManagementServer();
  const all = streams();
  const session = runSession(shellFor(server), { ...all, isTerminal: true });
  all.input.write("s3.bucket.create -name last\r");
  all.input.write("\u0004");
  expect(await session).toBe(0);
  expect([...server.buckets.keys()]).toEqual(["last"]);
});
