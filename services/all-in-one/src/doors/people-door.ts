import type { Clock, Log, Service, TcpNetwork } from "@kelp/base";
import { openFetchDoor } from "@kelp/base/http";
import type { PeopleGate, PeopleHandler } from "@kelp/wire";
import { listenError } from "./listen-error.ts";

const CONNECTIONS_MAX = 1024;

export interface PeopleDoorOptions {
  readonly gate: PeopleGate;
  /** Chooses who answers, by the path of the request. */
  readonly route: (path: string) => PeopleHandler;
  readonly network: TcpNetwork;
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The port of the console and the pipelines API: HTTP in, gate, handler, HTTP out. */
export interface PeopleDoor extends Service {
  readonly port: number;
}

/** Resolves when the port answers. Throws `StartError` when it cannot be had. */
export async function openPeopleDoor(options: PeopleDoorOptions): Promise<PeopleDoor> {
  const { gate, route, network, address, port, clock, log } = options;
  try {
    return await openFetchDoor({
      handle: async (request, received) => {
        const admission = await gate.admit(received);
        const { pathname } = new URL(request.url);
        return route(pathname)(request, admission, received);
      },
      refuse: ({ status, message }) => {
        const code = status === 500 ? "internal" : "bad-request";
        return Response.json({ code, message }, { status });
      },
      connectionsMax: CONNECTIONS_MAX,
      network,
      address,
      port,
      clock,
      log,
    });
  } catch (error) {
    throw listenError(error, { name: "console", address, port, flag: "--console.port" });
  }
}
