import { join } from "node:path";
import type { PortChoice, ServerSettings } from "@kelp/all-in-one";
import { FOLDER_FILES } from "@kelp/all-in-one/folder";
import { must } from "@kelp/base";
import { readConfigFile } from "./options/config-file.ts";
import {
  type OptionSources,
  type OptionValues,
  isGiven,
  resolveOptions,
} from "./options/resolve.ts";
import { SERVER_OPTIONS, type ServerOptionName } from "./options/server-options.ts";
import { UsageError } from "./usage-error.ts";
import { parseVolumeTiers } from "./volume-tiers.ts";

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
  const sources = { ...given, config };
  return settingsOf(resolveOptions(SERVER_OPTIONS, sources), sources);
}

function settingsOf(
  values: OptionValues<ServerOptionName>,
  sources: OptionSources,
): ServerSettings {
  const { environment } = sources;
  const text = (name: ServerOptionName): string => must(values[name], name);
  const count = (name: ServerOptionName): number => Number(text(name));
  const isOn = (name: ServerOptionName): boolean => text(name) === "on";
  const port = (name: ServerOptionName): PortChoice => ({
    port: count(name),
    choice: isGiven(name, sources) ? "named" : "usual",
  });
  const parallelism = values["pipelines.parallelism"];
  return {
    dir: text("dir"),
    bindAddress: text("ip.bind"),
    advertisedAddress: values.ip,
    s3Port: count("s3.port"),
    consolePort: count("console.port"),
    masterPort: port("master.port"),
    volumePort: port("volume.port"),
    filerPort: port("filer.port"),
    s3Region: text("s3.region"),
    workers: count("workers"),
    localUser: isOn("auth.local-user") ? "trusted" : "signs-in",
    volumeSizeBytesMax: count("volume.sizeLimitMB") * MIB,
    volumeFolders: volumeFolders(values),
    volumeTiers: parseVolumeTiers(values["volume.tier"]),
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
    encryption: { atRest: values["encrypt.at-rest"], previous: values["encrypt.previous"] },
    damagedLog: text("database.damaged-log") === "accept-loss" ? "accept-loss" : "refuse",
    logLevel: logLevel(text("log.level")),
    logFormat: text("log.format") === "json" ? "json" : "pretty",
    readyFile: values["ready-file"],
    rootAccessKey: nonEmpty(environment["KELP_ROOT_ACCESS_KEY"]),
    rootSecretKey: nonEmpty(environment["KELP_ROOT_SECRET_KEY"]),
    signingKeys: {
      needleWrite: nonEmpty(environment["KELP_JWT_SIGNING_KEY"]),
      needleRead: nonEmpty(environment["KELP_JWT_SIGNING_READ_KEY"]),
      pathWrite: nonEmpty(environment["KELP_JWT_FILER_SIGNING_KEY"]),
      pathRead: nonEmpty(environment["KELP_JWT_FILER_SIGNING_READ_KEY"]),
    },
  };
}

/** What is said of the folders of volumes, one by one. */
function volumeFolders(values: OptionValues<ServerOptionName>): ServerSettings["volumeFolders"] {
  const own = join(must(values.dir), FOLDER_FILES.volumes);
  const paths = values["volume.dir"]?.split(",") ?? [own];
  const maxima = perFolder("volume.max", values["volume.max"], paths.length);
  const diskTypes = perFolder("volume.disk", values["volume.disk"], paths.length);
  return paths.map((path, index) => ({
    path,
    diskType: diskTypes[index] ?? "",
    volumeCountMax: Number(maxima[index] ?? 0) === 0 ? undefined : Number(maxima[index]),
  }));
}

/** One value for each folder: as many as there are folders were given, or one for all, or none. */
function perFolder(
  name: ServerOptionName,
  text: string | undefined,
  count: number,
): readonly (string | undefined)[] {
  const values = text?.split(",") ?? [undefined];
  if (values.length !== 1 && values.length !== count) {
    throw new UsageError(`--${name} has ${values.length} values for ${count} folders of volumes`);
  }
  return Array.from({ length: count }, (_, index) => values[values.length === 1 ? 0 : index]);
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
