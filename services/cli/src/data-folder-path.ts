import { must } from "@kelp/base";
import type { CommandLine } from "./command-line.ts";
import type { OptionDefinition } from "./options/definition.ts";
import { resolveOptions } from "./options/resolve.ts";
import { SERVER_OPTIONS } from "./options/server-options.ts";
import { parseVolumeTiers } from "./volume-tiers.ts";

/** `--dir`, the same for every command. */
export const DIR_OPTION: OptionDefinition & { readonly name: "dir" } = must(
  SERVER_OPTIONS.find((option) => option.name === "dir"),
);

/** `--volume.dir`, for commands that look at content while no server runs. */
export const VOLUME_DIR_OPTION: OptionDefinition & { readonly name: "volume.dir" } = must(
  SERVER_OPTIONS.find((option) => option.name === "volume.dir"),
);

/** The folders of volumes that are named; `undefined` when none is. */
export function volumeFolderPaths(
  line: CommandLine,
  flags: Readonly<Record<string, string | undefined>>,
): readonly string[] | undefined {
  const { currentFolder, environment } = line;
  const values = resolveOptions([VOLUME_DIR_OPTION], {
    flags,
    environment,
    currentFolder,
    config: undefined,
  });
  return values["volume.dir"]?.split(",");
}

/** `--volume.tier`, for the same commands. */
export const VOLUME_TIER_OPTION: OptionDefinition & { readonly name: "volume.tier" } = must(
  SERVER_OPTIONS.find((option) => option.name === "volume.tier"),
);

/** The remote stores that are named. Throws `UsageError`. */
export function volumeTiers(
  line: CommandLine,
  flags: Readonly<Record<string, string | undefined>>,
): ReturnType<typeof parseVolumeTiers> {
  const { currentFolder, environment } = line;
  const values = resolveOptions([VOLUME_TIER_OPTION], {
    flags,
    environment,
    currentFolder,
    config: undefined,
  });
  return parseVolumeTiers(values["volume.tier"]);
}

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
