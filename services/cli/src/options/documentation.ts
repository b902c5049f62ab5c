import { type OptionDefinition, environmentName, placeholder } from "./definition.ts";

/** The table of `docs/operations.md`, as Markdown. A test compares the two. */
export function optionsTable(options: readonly OptionDefinition[]): string {
  const rows = options.map((option) => {
    const flag = `\`--${option.name} ${placeholder(option.kind).replaceAll("|", "\\|")}\``;
    const fallback = option.default === undefined ? "–" : `\`${option.default}\``;
    return `| ${flag} | \`${environmentName(option.name)}\` | ${fallback} | ${option.text} |`;
  });
  return ["| Flag | Environment | Default | Meaning |", "|---|---|---|---|", ...rows].join("\n");
}
