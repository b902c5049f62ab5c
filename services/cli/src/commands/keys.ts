import { join, resolve } from "node:path";
import { Command } from "commander";
import { type CommandLine, examples } from "../command-line.ts";
import { DIR_OPTION, dataFolderPath } from "../data-folder-path.ts";
import { addFlags, givenFlags } from "../options/flags.ts";
import { CommandError, UsageError } from "../usage-error.ts";

/** `kelp keys`: the master key that a sealed folder stands under. */
export function keysCommand(line: CommandLine): Command {
  const command = new Command("keys").description(
    "Make, show and change the master key of a sealed data folder",
  );
  for (const part of [newCommand(line), showCommand(line), rotateCommand(line)]) {
    command.addCommand(part.exitOverride().configureHelp({ helpWidth: 100 }));
  }
  return command.addHelpText(
    "after",
    examples([
      ["kelp keys new /etc/kelp/master.key", "a random key, readable by you alone"],
      ["kelp server --encrypt.at-rest file:/etc/kelp/master.key", "seals with it"],
      [
        "kelp keys rotate --current file:/etc/kelp/master.key --new file:/etc/kelp/next.key",
        "while no server runs",
      ],
    ]),
  );
}

function newCommand(line: CommandLine): Command {
  return new Command("new")
    .description("Write a random master key to a new file of mode 0600")
    .argument("<FILE>", "must not exist")
    .action(async (file: string) => {
      const { makeMasterKeyFile } = await import("@kelp/all-in-one");
      const path = resolve(line.currentFolder, file);
      const { keyId } = makeMasterKeyFile(path);
      line.out(
        `${path}: master key ${keyId}. Without it nothing that it seals can be read: keep a copy elsewhere`,
      );
    });
}

function showCommand(line: CommandLine): Command {
  const command = new Command("show").description(
    "Tell the id of the master key that the folder is sealed under",
  );
  addFlags(command, [DIR_OPTION]);
  return command.action(async (_flags: unknown, self: Command) => {
    const dir = await existingFolder(line, self);
    const { folderMasterKeys } = await import("@kelp/all-in-one");
    const { FOLDER_FILES } = await import("@kelp/all-in-one/folder");
    const ids = await folderMasterKeys(join(dir, FOLDER_FILES.filer));
    line.out(ids.length === 0 ? `${dir} is not sealed` : ids.join("\n"));
  });
}

interface RotateFlags {
  readonly new: string;
  readonly current?: string;
}

function rotateCommand(line: CommandLine): Command {
  const command = new Command("rotate")
    .description(
      "Put the keys of the folder under a new master key, while no server runs; stored data is not rewritten",
    )
    .requiredOption("--new <SOURCE>", "the new master key: file:/PATH or env:NAME")
    .option("--current <SOURCE>", "the master key until now (KELP_ENCRYPT_AT_REST)");
  addFlags(command, [DIR_OPTION]);
  return command.action(async (flags: RotateFlags, self: Command) => {
    const current = flags.current ?? line.environment["KELP_ENCRYPT_AT_REST"];
    if (current === undefined || current === "") {
      throw new UsageError("Name the master key until now with --current");
    }
    const dir = await existingFolder(line, self);
    const { openLog, rotateMasterKey } = await import("@kelp/all-in-one");
    const sources = { current, next: flags.new };
    const { from, to } = await rotateMasterKey(
      dir,
      sources,
      line.environment,
      openLog({ level: "warn", format: "pretty" }),
    );
    line.out(
      from.every((id) => id === to)
        ? `${dir} stands under the master key ${to} already`
        : `${dir} stands under the master key ${to} now, no longer under ${from.join(", ")}`,
    );
  });
}

async function existingFolder(line: CommandLine, self: Command): Promise<string> {
  const dir = dataFolderPath(line, givenFlags(self, [DIR_OPTION]));
  const { isDataFolder } = await import("@kelp/all-in-one/folder");
  if (!isDataFolder(dir)) throw new CommandError(`There is no data folder of Kelp at ${dir}`);
  return dir;
}
