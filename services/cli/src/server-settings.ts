import type { ServerSettings } from "@kelp/all-in-one";
import { must } from "@kelp/base";
import { readConfigFile } from "./options/config-file.ts";
import { type OptionValues, resolveOptions } from "./options/resolve.ts";
import { SERVER_OPTIONS, type ServerOptionName } from "./options/server-options.ts";

const MIB = 1024 * 1024;

/** Flags, environment and configuration file, brought together and checked. Throws `UsageError`. */
export function serverSettings(given: {
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly configFile: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly currentFolder: string;
}): ServerSettings {
  const { environment } = given;
  const configFile = given.configFile ?? nonEmpty(environment["KELP_CONFIG"]);
  const config = configFile === undefined ? undefined : readConfigFile(configFile, SERVER_OPTIONS);
  const values = resolveOptions(SERVER_OPTIONS, { ...given, config });
  return settingsOf(values, environment);
}

function settingsOf(
  values: OptionValues<ServerOptionName>,
  environment: Readonly<Record<string, string | undefined>>,
): ServerSettings {
  const text = (name: ServerOptionName): string => must(values[name], name);
  const count = (name: ServerOptionName): number => Number(text(name));
  const isOn = (name: ServerOptionName): boolean => text(name) === "on";
  const parallelism = values["pipelines.parallelism"];
  return {
    dir: text("dir"),
    bindAddress: text("ip.bind"),
    advertisedAddress: values.ip,
    s3Port: count("s3.port"),
    consolePort: count("console.port"),
    s3Region: text("s3.region"),
    localUser: isOn("auth.local-user") ? "trusted" : "signs-in",
    volumeSizeBytesMax: count("volume.sizeLimitMB") * MIB,
    minFreeSpaceBytes: count("volume.minFreeSpaceMB") * MIB,
    maintenance: {
      garbageThreshold: Number(text("volume.garbageThreshold")),
      vacuumBytesPerSec: count("volume.vacuumMBps") * MIB,
      scrubCycleMs: cycleMs(count("volume.scrubDays")),
    },
    pipelines: {
      python: text("pipelines.python"),
      parallelism: parallelism === undefined ? undefined : Number(parallelism),
      imagePolicy: text("pipelines.image-policy") === "refuse" ? "refuse" : "host",
      cache: isOn("pipelines.cache") ? "on" : "off",
      secretsFile: values["pipelines.secrets"],
    },
    logLevel: logLevel(text("log.level")),
    logFormat: text("log.format") === "json" ? "json" : "pretty",
    readyFile: values["ready-file"],
    rootAccessKey: nonEmpty(environment["KELP_ROOT_ACCESS_KEY"]),
    rootSecretKey: nonEmpty(environment["KELP_ROOT_SECRET_KEY"]),
  };
}

function cycleMs(days: number): number | undefined {
  return days === 0 ? undefined : days * 24 * 60 * 60 * 1000;
}

function logLevel(text: string): ServerSettings["logLevel"] {
  return text === "debug" || text === "warn" || text === "error" ? text : "info";
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
