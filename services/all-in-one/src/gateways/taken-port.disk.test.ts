import { expect, test } from "bun:test";
import { join } from "node:path";
import type { PortSharing, TcpListener, TcpNetwork } from "@kelp/base";
import { systemTcpNetwork } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { openTestServer } from "../testing/opened-server.ts";
import { PORT_ATTEMPTS_MAX } from "./limits.ts";

const nothing = (): void => undefined;
const SILENT = { data: nothing, drained: nothing, ended: nothing, closed: nothing };

/** A network on which somebody else takes the port as soon as the server has let go of it, so often. */
class RivalNetwork implements TcpNetwork, AsyncDisposable {
  readonly taken: number[] = [];
  readonly #rivals: TcpListener[] = [];
  readonly #sharing: PortSharing;
  #left: number;

  constructor(count: number, sharing: PortSharing) {
    this.#left = count;
    this.#sharing = sharing;
  }

  readonly listen: TcpNetwork["listen"] = async (place, accept) => {
    const listener = await systemTcpNetwork.listen(place, accept);
    if (this.#left === 0) return listener;
    this.#left -= 1;
    const { port } = listener;
    const letGo = async (): Promise<void> => {
      await listener[Symbol.asyncDispose]();
      this.taken.push(port);
      const { address } = place;
      const rival = { address, port, sharing: this.#sharing };
      this.#rivals.push(await systemTcpNetwork.listen(rival, () => SILENT));
    };
    return { port, close: () => listener.close(), [Symbol.asyncDispose]: letGo };
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const rival of this.#rivals) await rival[Symbol.asyncDispose]();
  }
}

test.each(["alone", "shared"] as const)(
  "a free port that somebody took before the gateways did (%s) is given up for another",
  async (sharing) => {
    using folder = temporaryFolder();
    await using network = new RivalNetwork(2, sharing);
    await using server = await openTestServer(join(folder.path, "data"), { workers: 2, network });
    expect(network.taken).toHaveLength(2);
    expect(network.taken).not.toContain(Number(new URL(server.s3Url).port));
    expect(server.gatewayPids()).toHaveLength(2);
    // Whoever answers is no rival: these answer nothing.
    expect((await fetch(server.s3Url)).status).toBe(403);
  },
  60_000,
);

test("a port that was named is kept to, and one that is taken each time is told at last", async () => {
  using folder = temporaryFolder();
  await using always = new RivalNetwork(Number.POSITIVE_INFINITY, "alone");
  const opening = openTestServer(join(folder.path, "any"), { workers: 2, network: always });
  expect(await opening.catch((error: unknown) => error)).toMatchObject({ code: "port-in-use" });
  expect(always.taken).toHaveLength(PORT_ATTEMPTS_MAX);
  await using once = new RivalNetwork(1, "alone");
  let s3Port: number;
  {
    const place = { address: "127.0.0.1", port: 0, sharing: "alone" } as const;
    await using free = await systemTcpNetwork.listen(place, () => SILENT);
    s3Port = free.port;
  }
  const named = { workers: 2, network: once, s3Port };
  const refused = openTestServer(join(folder.path, "named"), named);
  expect(await refused.catch((error: unknown) => error)).toMatchObject({ code: "port-in-use" });
  expect(once.taken).toEqual([s3Port]);
}, 60_000);
