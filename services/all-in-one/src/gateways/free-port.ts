import { createServer } from "node:net";

/**
 * Listens on the port alone for a moment: gateways share it afterwards, and would share it with a stranger as well. Returns the port,
 * which the system chose when it was 0. Throws the system's error.
 */
export async function probePort(address: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: address, exclusive: true }, resolve);
  });
  const bound = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return typeof bound === "object" && bound !== null ? bound.port : port;
}
