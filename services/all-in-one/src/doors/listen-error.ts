import { StartError } from "../errors.ts";
import { errorText } from "../folder/error-text.ts";
import { findPortHolder } from "./port-holder.ts";

/** Turns the failure to listen into one line that names port, flag and, where it can be seen, who has the port. */
export function listenError(
  error: unknown,
  door: {
    readonly name: string;
    readonly address: string;
    readonly port: number;
    readonly flag: string;
  },
): StartError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const action = `Cannot open the ${door.name} door on ${door.address}:${door.port}`;
  if (code === "EADDRINUSE") {
    const holder = findPortHolder(door.port);
    const who = holder === undefined ? "" : ` by process ${holder.pid} (${holder.command})`;
    return new StartError(
      "port-in-use",
      `${action}: the port is taken${who}; choose another with ${door.flag}`,
      { cause: error },
    );
  }
  const hint =
    code === "EACCES"
      ? `this user may not use that port; choose another with ${door.flag}`
      : code === "EADDRNOTAVAIL"
        ? "this machine does not have that address; choose another with --ip.bind"
        : errorText(error);
  return new StartError("address-unusable", `${action}: ${hint}`, { cause: error });
}
