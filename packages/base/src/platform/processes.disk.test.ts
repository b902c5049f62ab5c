import { expect, test } from "bun:test";
import { ProcessError } from "../processes.ts";
import { systemProcesses } from "./processes.ts";

const environment = { PATH: "/usr/bin:/bin" };

test("a child sees only the environment that it is given", async () => {
  const child = systemProcesses.start({
    argv: ["/usr/bin/env"],
    environment: { ONE: "1" },
    folder: "/",
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of child.stdout) pieces.push(piece);
  const names = Buffer.concat(pieces)
    .toString()
    .split("\n")
    .map((line) => line.split("=")[0]);
  expect(names).toContain("ONE");
  expect(names).not.toContain("HOME");
  expect(await child.exited).toEqual({ kind: "code", code: 0 });
});

test("killing the group ends grandchildren too", async () => {
  const child = systemProcesses.start({
    argv: ["sh", "-c", "sleep 1000 & echo started; wait"],
    environment,
    folder: "/",
  });
  const reader = child.stdout[Symbol.asyncIterator]();
  await reader.next();
  systemProcesses.killGroup(child.pid, "SIGKILL");
  expect(await child.exited).toEqual({ kind: "signal", signal: "SIGKILL" });
  // The pipe ends only once the grandchild, which also holds it, is gone.
  expect((await reader.next()).done).toBe(true);
});

test("identify differs between a living and an ended process", async () => {
  const child = systemProcesses.start({ argv: ["sleep", "1000"], environment, folder: "/" });
  expect(systemProcesses.identify(child.pid)).toBeDefined();
  systemProcesses.killGroup(child.pid, "SIGKILL");
  await child.exited;
  expect(systemProcesses.identify(child.pid)).toBeUndefined();
});

test("a program that does not exist is refused with its errno", () => {
  expect(() =>
    systemProcesses.start({ argv: ["/no/such/program"], environment, folder: "/" }),
  ).toThrow(ProcessError);
});
