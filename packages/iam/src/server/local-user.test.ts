import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { request as httpRequest } from "node:http";
import { must, silentLog } from "@kelp/base";
import { openFetchDoor } from "@kelp/base/http";
import {
  openDatabase,
  systemClock,
  systemHashes,
  systemPeerUsers,
  systemRandom,
  systemTcpNetwork,
} from "@kelp/base/platform";
import { openIam } from "../index.ts";
import { openPeopleGate } from "./index.ts";

// Real connections over loopback, and the kernel's own answer about who made them.
const USER = must(process.geteuid?.(), "these tests run where users have ids");
const isLinux = process.platform === "linux";
/** Only root can start a child as somebody else; elsewhere the test after it covers the comparison. */
const canBecomeNobody = isLinux && USER === 0;
const NOBODY = 65_534;

interface Door extends AsyncDisposable {
  readonly port: number;
}

async function openDoor(boundAddress: string, userId = USER): Promise<Door> {
  const database = openDatabase(":memory:");
  const common = {
    database,
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
    log: silentLog,
  };
  const gate = openPeopleGate({
    ...common,
    keys: openIam({ ...common, root: { accessKeyId: "rootkey", secret: "root-secret" } }),
    token: undefined,
    localUser: { kind: "same-user", boundAddress, userId, peers: systemPeerUsers },
    advertisedHosts: [],
    scheme: "http",
    hashes: systemHashes,
  });
  const door = await openFetchDoor({
    handle: async (_, received) => new Response(`${(await gate.admit(received)).kind}\n`),
    refuse: ({ status, message }) => new Response(message, { status }),
    network: systemTcpNetwork,
    address: boundAddress,
    port: 0,
    clock: systemClock,
    log: silentLog,
  });
  return {
    port: door.port,
    async [Symbol.asyncDispose]() {
      await door.stop();
      database[Symbol.dispose]();
    },
  };
}

/** What the door answers to a request made by this process. */
function ask(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const name = host.includes(":") ? `[${host}]` : host;
    const outgoing = httpRequest(
      { host, port, path: "/", headers: { host: `${name}:${port}` }, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => {
          text += piece;
        });
        response.on("end", () => resolve(text.trim()));
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** The same, made by a shell that runs as another user. */
function askAs(user: number, port: number): Promise<string> {
  const script =
    `exec 3<>/dev/tcp/127.0.0.1/${port}; ` +
    `printf 'GET / HTTP/1.1\\r\\nHost: 127.0.0.1:${port}\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3`;
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", script], { uid: user, gid: user, cwd: "/" });
    let text = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (piece: string) => {
      text += piece;
    });
    child.on("error", reject);
    child.on("close", () => resolve(/^(admitted|refused)\r?$/m.exec(text)?.[1] ?? text));
  });
}

test.if(isLinux)("the user who runs the door is let in over IPv4", async () => {
  await using door = await openDoor("127.0.0.1");
  expect(await ask("127.0.0.1", door.port)).toBe("admitted");
});

test.if(isLinux)("the user who runs the door is let in over IPv6", async () => {
  await using door = await openDoor("::1");
  expect(await ask("::1", door.port)).toBe("admitted");
});

test.if(canBecomeNobody)("another user of the machine is refused", async () => {
  await using door = await openDoor("127.0.0.1");
  expect(await askAs(USER, door.port)).toBe("admitted");
  expect(await askAs(NOBODY, door.port)).toBe("refused");
});

test.if(isLinux)("a door that runs as somebody else refuses this user", async () => {
  await using door = await openDoor("127.0.0.1", USER + 1);
  expect(await ask("127.0.0.1", door.port)).toBe("refused");
});

test("the owner of a connection that does not exist is not known", async () => {
  const nowhere = {
    remoteAddress: "127.0.0.1",
    remotePort: 1,
    localAddress: "127.0.0.1",
    localPort: 1,
  };
  expect(await systemPeerUsers.userOf(nowhere)).toBeUndefined();
});
