import { expect, test } from "bun:test";
import { silentLog } from "@kelp/base";
import { type HttpDoor, openHttpDoor, textReply } from "@kelp/base/http";
import { systemClock, systemTcpNetwork } from "@kelp/base/platform";
import { StartError } from "../errors.ts";
import { openOnPort } from "./open-on-port.ts";

const ADDRESS = "127.0.0.1";

function openDoor(port: number): Promise<HttpDoor> {
  return openHttpDoor({
    handler: { handle: () => Promise.resolve(textReply(200, "ok")), explain: () => undefined },
    network: systemTcpNetwork,
    address: ADDRESS,
    port,
    clock: systemClock,
    log: silentLog,
  });
}

const PLACE = { name: "filer", address: ADDRESS, flag: "--filer.port" } as const;

test("where the usual port is taken a free one serves, and it is said", async () => {
  await using holder = await openDoor(0);
  const said: string[] = [];
  const log = { ...silentLog, warn: (message: string) => void said.push(message) };
  const choice = { port: holder.port, choice: "usual" } as const;
  await using door = await openOnPort({ ...PLACE, choice, log }, openDoor);
  expect(door.port).not.toBe(holder.port);
  expect(said).toEqual([`port ${holder.port} is taken: the filer door takes a free one`]);
});

test("a port that was named is kept to", async () => {
  await using holder = await openDoor(0);
  const choice = { port: holder.port, choice: "named" } as const;
  const opening = openOnPort({ ...PLACE, choice, log: silentLog }, openDoor);
  const error = await opening.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(StartError);
  expect(String(error)).toContain("--filer.port");
});

test("what is no matter of who has the port is not tried again", async () => {
  let attempts = 0;
  const failing = (): Promise<HttpDoor> => {
    attempts++;
    return Promise.reject(Object.assign(new Error("no"), { code: "EACCES" }));
  };
  const choice = { port: 80, choice: "usual" } as const;
  const opening = openOnPort({ ...PLACE, choice, log: silentLog }, failing);
  expect(await opening.catch((error: unknown) => error)).toBeInstanceOf(StartError);
  expect(attempts).toBe(1);
});
