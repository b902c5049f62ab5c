import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { must } from "@kelp/base";
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
  const listener = getRequestListener((request) => {
    const { pathname, search } = new URL(request.url);
    requests.push(`${request.method} ${pathname}${search}`);
    return world.handler(
      request,
      { kind: "admitted", principal: { kind: "root", name: "root" }, via: "token" },
      LOCAL_REQUEST,
    );
  });
  const server = createServer((request, response) => {
    listener(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = must(server.address());
  const portNumber = typeof address === "string" ? 0 : address.port;
  return {
    url: `http://127.0.0.1:${portNumber}`,
    world,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
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
