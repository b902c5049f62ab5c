import type { ConfigFile } from "./config-file.ts";
import { type OptionDefinition, environmentName } from "./definition.ts";
import { checkValue } from "./values.ts";

/** Where values come from, strongest first. */
export interface OptionSources {
  /** By option name; only those given. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly config: ConfigFile | undefined;
  /** Paths in flags and environment are taken from here. */
  readonly currentFolder: string;
}

/** Checked values by option name; `undefined` where nothing was given and there is no default. */
export type OptionValues<Name extends string> = Readonly<Record<Name, string | undefined>>;

/** Flag before environment before configuration before default. Throws `UsageError` on the first wrong value. */
export function resolveOptions<Name extends string>(
  options: readonly (OptionDefinition & { readonly name: Name })[],
  sources: OptionSources,
): OptionValues<Name> {
  const values: Partial<Record<Name, string | undefined>> = {};
  for (const option of options) values[option.name] = resolveOne(option, sources);
  return values as Record<Name, string | undefined>;
}

/** Whether somebody gave the option, in whatever place. */
export function isGiven(option: string, sources: OptionSources): boolean {
  const variable = sources.environment[environmentName(option)];
  const isInEnvironment = variable !== undefined && variable !== "";
  const isConfigured = sources.config?.values.has(option) === true;
  return sources.flags[option] !== undefined || isInEnvironment || isConfigured;
}

function resolveOne(option: OptionDefinition, sources: OptionSources): string | undefined {
  const folder = sources.currentFolder;
  const flag = sources.flags[option.name];
  if (flag !== undefined) return checkValue(option, flag, { kind: "flag", folder });

  const name = environmentName(option.name);
  const variable = sources.environment[name];
  if (variable !== undefined && variable !== "") {
    return checkValue(option, variable, { kind: "environment", name, folder });
  }

  const { config } = sources;
  const configured = config?.values.get(option.name);
  if (config !== undefined && configured !== undefined) {
    return checkValue(option, configured, {
      kind: "config",
      file: config.file,
      folder: config.folder,
    });
  }
  if (option.default === undefined) return undefined;
  return checkValue(option, option.default, { kind: "default", folder });
}
