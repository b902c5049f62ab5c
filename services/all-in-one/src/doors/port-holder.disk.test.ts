import { expect, test } from "bun:test";
import { listen, spawn } from "bun";
import { findPortHolder, isPortShared } from "./port-holder.ts";

const ADDRESS = "127.0.0.1";

/** Another process that listens on a port, as one of several. */
async function openStranger(address: string, port: number) {
  const options = `{ hostname: "${address}", port: ${port}, reusePort: true, socket: { data() {} } }`;
  const program = `Bun.listen(${options}); console.log("listens"); setTimeout(() => process.exit(), 30_000);`;
  const child = spawn([process.execPath, "-e", program], { stdout: "pipe" });
  await child.stdout.getReader().read();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

function openOwn(port: number) {
  // Its type knows the option only for datagrams.
  const options = { hostname: ADDRESS, port, reusePort: true };
  return listen<undefined>({ ...options, socket: { data: () => undefined } });
}

test("a port that a stranger shares is told from one that only these processes share", async () => {
  const own = openOwn(0);
  const { port } = own;
  const second = openOwn(port);
  expect(isPortShared(port, [process.pid])).toBe(false);
  {
    await using child = await openStranger(ADDRESS, port);
    expect(isPortShared(port, [process.pid])).toBe(true);
    expect(isPortShared(port, [process.pid, child.pid])).toBe(false);
  }
  expect(isPortShared(port, [process.pid])).toBe(false);
  expect(findPortHolder(port)?.pid).toBe(process.pid);
  own.stop();
  second.stop();
  expect(findPortHolder(port)).toBeUndefined();
  expect(isPortShared(port, [process.pid])).toBe(false);
});

test("the same port of another address is no sharing", async () => {
  const own = openOwn(0);
  {
    await using _other = await openStranger("127.0.0.2", own.port);
    expect(isPortShared(own.port, [process.pid])).toBe(false);
  }
  own.stop();
});
