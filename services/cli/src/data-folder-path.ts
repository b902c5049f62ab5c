import { must } from "@kelp/base";
import type { CommandLine } from "./command-line.ts";
import type { OptionDefinition } from "./options/definition.ts";
import { resolveOptions } from "./options/resolve.ts";
import { SERVER_OPTIONS } from "./options/server-options.ts";

/** `--dir`, the same for every command. */
export const DIR_OPTION: OptionDefinition & { readonly name: "dir" } = must(
  SERVER_OPTIONS.find((option) => option.name === "dir"),
);

/** The data folder that a command is about, by flag or environment or default. */
export function dataFolderPath(
  line: CommandLine,
  flags: Readonly<Record<string, string | undefined>>,
): string {
  const { currentFolder, environment } = line;
  const values = resolveOptions([DIR_OPTION], {
    flags,
    environment,
    currentFolder,
    config: undefined,
  });
  return must(values.dir);
}
