import type { TcpNetwork } from "@kelp/base";

/**
 * Listens on the port alone for a moment: gateways share it afterwards, and would share it with a stranger as well. Returns the port,
 * which the system chose when it was 0. Throws the system's error.
 */
export async function probePort(
  network: TcpNetwork,
  address: string,
  port: number,
): Promise<number> {
  await using listener = await network.listen({ address, port, sharing: "alone" }, (stranger) => {
    stranger.destroy();
    return NO_EVENTS;
  });
  return listener.port;
}

function ignore(): void {
  // Nobody is served yet.
}

const NO_EVENTS = { data: ignore, drained: ignore, ended: ignore, closed: ignore };
