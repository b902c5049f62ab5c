/** What an option of the program is: flags, environment, configuration file, help and documentation derive from it. */
export interface OptionDefinition {
  /** Dotted name: the flag is `--name`, the configuration file holds it dotted or nested. */
  readonly name: string;
  readonly kind: OptionKind;
  /** As a user would write it; `undefined` when absence has a meaning of its own, which `text` tells. */
  readonly default: string | undefined;
  /** One sentence for people, without a full stop. */
  readonly text: string;
}

export type OptionKind =
  | { readonly kind: "text"; readonly placeholder: string }
  /** A path, taken from the current folder, or from the configuration file's folder when it stands there. */
  | { readonly kind: "path"; readonly placeholder: string }
  /** 0 … 65535; 0 lets the system choose. */
  | { readonly kind: "port" }
  | {
      readonly kind: "count";
      readonly placeholder: string;
      readonly minimum: number;
      readonly maximum: number;
    }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  | { readonly kind: "switch" }
  /** Several values, separated by commas. */
  | { readonly kind: "list"; readonly placeholder: string; readonly item: OptionKind }
  /** A number from 0 to 1. */
  | { readonly kind: "share" };

/** `s3.port` → `KELP_S3_PORT`, `volume.sizeLimitMB` → `KELP_VOLUME_SIZE_LIMIT_MB`. */
export function environmentName(name: string): string {
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll(/[.-]/g, "_")
    .toUpperCase();
  return `KELP_${words}`;
}

/** What stands after the flag in the help. */
export function placeholder(option: OptionKind): string {
  switch (option.kind) {
    case "text":
    case "path":
    case "count":
    case "list":
      return option.placeholder;
    case "port":
      return "PORT";
    case "share":
      return "0…1";
    case "choice":
      return option.values.join("|");
    case "switch":
      return "on|off";
    default:
      option satisfies never;
      return "";
  }
}
