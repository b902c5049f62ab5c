import { must, utf8Text } from "@kelp/base";
import type { Call, Command, Output, SessionState } from "./command.ts";
import { COMMANDS } from "./commands/index.ts";
import { type Completions, complete } from "./completion.ts";
import { ShellError } from "./errors.ts";
import { parseFlags } from "./flags.ts";
import { ManagementClient } from "./management-client.ts";
import { splitCommands } from "./words.ts";

export interface ShellOptions {
  /** Of the people's door, such as `http://127.0.0.1:8888`. */
  readonly baseUrl: string;
  /** Bearer token; without one the door has to trust the local user. */
  readonly token: string | undefined;
}

/**
 * The commands over one server. It remembers the working directory from line to line; lines are run one at a time.
 * Nothing is kept open between lines.
 */
export interface Shell {
  /** Runs the commands of one line; what they print goes to `output` as it comes. Throws `ShellError`. */
  execute(line: string, output: Output, signal?: AbortSignal): Promise<void>;
  /** The same with all text as the answer: for short output only. Throws `ShellError`. */
  run(line: string): Promise<string>;
  /** Never throws: without a server it knows the commands and flags. */
  complete(line: string): Promise<Completions>;
}

export function openShell(options: ShellOptions): Shell {
  return new CommandShell(options);
}

const COMMANDS_BY_NAME: ReadonlyMap<string, Command> = new Map(
  COMMANDS.map((command) => [command.name, command]),
);

class CommandShell implements Shell {
  readonly #options: ShellOptions;
  readonly #session: SessionState = { directory: "/" };

  constructor(options: ShellOptions) {
    this.#options = options;
  }

  async execute(line: string, output: Output, signal?: AbortSignal): Promise<void> {
    const client = new ManagementClient({
      ...this.#options,
      ...(signal === undefined ? {} : { signal }),
    });
    for (const words of splitCommands(line)) {
      const [name, ...rest] = words;
      const command = COMMANDS_BY_NAME.get(must(name, "a command has at least one word"));
      if (command === undefined) {
        throw new ShellError("usage", `There is no command ${name}: try help`);
      }
      const flags = parseFlags(rest, command.flags);
      if (command.takes === "none" && flags.rest.length > 0) {
        throw new ShellError("usage", `${command.name} takes no ${flags.rest[0]}`);
      }
      const call: Call = { flags, client, output, session: this.#session };
      await command.run(call);
    }
  }

  async run(line: string): Promise<string> {
    const pieces: string[] = [];
    await this.execute(line, {
      write: (piece) => {
        pieces.push(typeof piece === "string" ? piece : utf8Text(piece));
        return Promise.resolve();
      },
    });
    return pieces.join("");
  }

  complete(line: string): Promise<Completions> {
    return complete(line, {
      commands: COMMANDS,
      client: new ManagementClient(this.#options),
      directory: this.#session.directory,
    });
  }
}
