import type { Clock } from "../../clock.ts";
import { type Log, silentLog } from "../../log.ts";
import { systemClock } from "../../platform/index.ts";
import type { Http1Exchange } from "../exchange.ts";
import { type Http1Limits, Http1Server } from "../server.ts";
import { type Wire, WireNetwork, turn } from "./wire.ts";

export const TEST_LIMITS: Http1Limits = {
  connectionsMax: 10_000,
  headBytesMax: 32 * 1024,
  headTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  unreadBytesMax: 1024,
  lingerMs: 2_000,
};

/** Says what a request was, with all of its body. */
export async function echo(exchange: Http1Exchange): Promise<void> {
  const { head, body, response } = exchange;
  let content = "";
  try {
    for (;;) {
      const piece = await body.read();
      if (piece === undefined) break;
      content += Buffer.from(piece).toString("latin1");
    }
  } catch (error) {
    await response.send(400, {}, error instanceof Error ? error.name : "unknown");
    return;
  }
  await response.send(200, {}, `${head.method} ${head.target} [${content}]`);
}

export interface WireServer extends AsyncDisposable {
  readonly server: Http1Server;
  connect(): Wire;
  /** Everything that is answered to these pieces, each sent when the one before has had its effect. */
  answer(pieces: readonly string[]): Promise<string>;
}

/** A server on connections in memory, echoing unless told otherwise; its clock stands still. */
export async function openWireServer(
  options: {
    readonly handle?: (exchange: Http1Exchange) => Promise<void>;
    readonly limits?: Partial<Http1Limits>;
    readonly clock?: Clock;
    readonly log?: Log;
  } = {},
): Promise<WireServer> {
  const network = new WireNetwork();
  const server = await Http1Server.open({
    network,
    address: "127.0.0.1",
    port: 0,
    limits: { ...TEST_LIMITS, ...options.limits },
    clock: options.clock ?? STILL_CLOCK,
    log: options.log ?? silentLog,
    handle: options.handle ?? echo,
  });
  return {
    server,
    connect: () => network.connect(),
    async answer(pieces) {
      const wire = network.connect();
      for (const piece of pieces) {
        wire.send(piece);
        await turn();
      }
      await turn();
      return wire.answered;
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

const STILL_CLOCK: Clock = {
  ...systemClock,
  nowMs: () => Date.UTC(2026, 0, 2, 3, 4, 5),
  schedule: () => ({ cancel: () => undefined }),
};

/** The lines that every answer has, on the clock of these tests. */
export const COMMON = "Server: Kelp\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n";

/** Status codes of all answers, in order. */
export function statuses(answered: string): number[] {
  return [...answered.matchAll(/(?:^|\r\n\r\n|[^\r\n])HTTP\/1\.1 (\d{3}) /g)].map(([, status]) =>
    Number(status),
  );
}
