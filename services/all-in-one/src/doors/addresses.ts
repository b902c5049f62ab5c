import { networkInterfaces } from "node:os";

/** The address that clients are told: as given, or the bound one, or, when all are bound, this machine's first. */
export function advertisedAddress(bound: string, given: string | undefined): string {
  if (given !== undefined) return given;
  if (bound !== "0.0.0.0" && bound !== "::") return bound;
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) {
      if (!address.internal && address.family === "IPv4") return address.address;
    }
  }
  return "127.0.0.1";
}

/** `http://host:port`; addresses of IPv6 get their brackets. */
export function doorUrl(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Only this machine can reach it. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || address.startsWith("127.");
}
