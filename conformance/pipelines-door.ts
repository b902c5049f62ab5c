import { silentLog } from "@kelp/base";
import { openFetchDoor } from "@kelp/base/http";
import { systemClock, systemTcpNetwork } from "@kelp/base/platform";
import { type ApiWorld, type StepScript, openApiWorld } from "@kelp/pipelines/server/testing";

/** The pipelines API on a port of its own, with steps that are scripts. */
export interface PipelinesDoor extends AsyncDisposable {
  readonly url: string;
  readonly world: ApiWorld;
  /** `METHOD /path?query` of every request, in order. */
  readonly requests: readonly string[];
}

export async function openPipelinesDoor(
  scripts: Readonly<Record<string, StepScript>> = {},
): Promise<PipelinesDoor> {
  const world = openApiWorld(scripts);
  const requests: string[] = [];
  const door = await openFetchDoor({
    handle: (request) => {
      const { pathname, search } = new URL(request.url);
      requests.push(`${request.method} ${pathname}${search}`);
      return world.handler(
        request,
        { kind: "admitted", principal: { kind: "root", name: "root" }, via: "token" },
        LOCAL_REQUEST,
      );
    },
    refuse: ({ status, message }) => new Response(message, { status }),
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
    clock: systemClock,
    log: silentLog,
  });
  return {
    url: `http://127.0.0.1:${door.port}`,
    world,
    requests,
    async [Symbol.asyncDispose]() {
      await door.stop();
      await world[Symbol.asyncDispose]();
    },
  };
}

const LOCAL_REQUEST = {
  method: "GET",
  headers: {},
  remoteAddress: "127.0.0.1",
  remotePort: 1,
  localAddress: "127.0.0.1",
  localPort: 1,
};
