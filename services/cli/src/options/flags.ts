import { type Command, Option } from "commander";
import { type OptionDefinition, environmentName, placeholder } from "./definition.ts";

/** Gives a command one flag per option. Defaults are only told, not set: precedence is decided in `resolveOptions`. */
export function addFlags(command: Command, options: readonly OptionDefinition[]): void {
  for (const option of options) command.addOption(flagOf(option));
}

/** The flags that were given, by option name. */
export function givenFlags(
  command: Command,
  options: readonly OptionDefinition[],
): Record<string, string | undefined> {
  const given: Record<string, string | undefined> = {};
  for (const option of options) {
    const value: unknown = command.getOptionValue(flagOf(option).attributeName());
    if (typeof value === "string") given[option.name] = value;
  }
  return given;
}

function flagOf(option: OptionDefinition): Option {
  const end = option.default === undefined ? "" : `, default ${option.default}`;
  return new Option(
    `--${option.name} <${placeholder(option.kind)}>`,
    `${option.text} (${environmentName(option.name)}${end})`,
  );
}
