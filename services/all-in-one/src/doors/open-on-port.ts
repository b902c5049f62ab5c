import type { Log } from "@kelp/base";
import type { PortChoice } from "../settings.ts";
import { listenError } from "./listen-error.ts";

/**
 * Opens a door on the port that was chosen for it. Where the usual port is taken, a free one serves as well, and it is
 * said; a port that was named is kept to. Throws `StartError`.
 */
export async function openOnPort<Door>(
  place: {
    readonly name: string;
    readonly address: string;
    readonly flag: string;
    readonly choice: PortChoice;
    readonly log: Log;
  },
  open: (port: number) => Promise<Door>,
): Promise<Door> {
  const { name, address, flag, choice, log } = place;
  try {
    return await open(choice.port);
  } catch (error) {
    if (choice.choice === "named" || !isTaken(error)) {
      throw listenError(error, { name, address, port: choice.port, flag });
    }
  }
  log.warn(`port ${choice.port} is taken: the ${name} door takes a free one`, { flag });
  try {
    return await open(0);
  } catch (error) {
    throw listenError(error, { name, address, port: 0, flag });
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
