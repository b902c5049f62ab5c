import { join } from "node:path";
import { FOLDER_FILES, readCredentials } from "@kelp/all-in-one/folder";
import { runningServer } from "./client-environment.ts";
import type { CommandLine } from "./command-line.ts";
import { dataFolderPath } from "./data-folder-path.ts";
import { UsageError } from "./usage-error.ts";

/** How a command reaches the people's door of a server. */
export interface ServerAddress {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  /** `undefined`: go without, which the server allows its own user on its own machine. */
  readonly token: string | undefined;
}

/**
 * With `--server` that one, and the token of `KELP_TOKEN` if any; otherwise the server that runs on the data folder,
 * with its token. Throws `UsageError` for what is no address, `CommandError` when no server runs.
 */
export function findServer(
  line: CommandLine,
  given: {
    readonly server: string | undefined;
    readonly flags: Readonly<Record<string, string | undefined>>;
  },
): ServerAddress {
  const token = line.environment["KELP_TOKEN"];
  if (given.server !== undefined) {
    return {
      baseUrl: checkUrl(given.server),
      token: token === "" ? undefined : token,
    };
  }
  const dir = dataFolderPath(line, given.flags);
  const state = runningServer(dir);
  const credentials = readCredentials(join(dir, FOLDER_FILES.credentials));
  return { baseUrl: state.console_url, token: credentials?.console_token };
}

function checkUrl(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `--server is ${JSON.stringify(text)}: it must be an address such as http://127.0.0.1:8800`,
    );
  }
  return url.href.replace(/\/+$/, "");
}
