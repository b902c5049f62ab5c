import type { OptionDefinition } from "./definition.ts";

/** Every option of `kelp server`, in the order of the help. */
export const SERVER_OPTIONS = [
  {
    name: "dir",
    kind: { kind: "path", placeholder: "DIR" },
    default: "kelp-data",
    text: "Folder of all data; made when absent",
  },
  {
    name: "ip",
    kind: { kind: "text", placeholder: "ADDRESS" },
    default: undefined,
    text: "Address that clients are told; by default the one that is bound, or this machine's first when all are",
  },
  {
    name: "ip.bind",
    kind: { kind: "text", placeholder: "ADDRESS" },
    default: "127.0.0.1",
    text: "Address to listen on; 0.0.0.0 for every network",
  },
  {
    name: "s3.port",
    kind: { kind: "port" },
    default: "8333",
    text: "Port of the S3 door",
  },
  {
    name: "s3.region",
    kind: { kind: "text", placeholder: "any|NAME" },
    default: "any",
    text: "Region that requests must be signed for; any accepts whatever a client is set to",
  },
  {
    name: "workers",
    kind: { kind: "count", placeholder: "N", minimum: 1, maximum: 64 },
    default: "1",
    text: "Processes that serve the S3 door, for machines with four cores or more; with 1 the server serves it itself",
  },
  {
    name: "console.port",
    kind: { kind: "port" },
    default: "8800",
    text: "Port of the console, its API and the pipelines API",
  },
  {
    name: "master.port",
    kind: { kind: "port" },
    default: "9333",
    text: "Port of the master door, for SeaweedFS clients; a free one when nobody named it and it is taken",
  },
  {
    name: "volume.port",
    kind: { kind: "port" },
    default: "8080",
    text: "Port of the volume door, likewise; the master tells clients where it is",
  },
  {
    name: "filer.port",
    kind: { kind: "port" },
    default: "8888",
    text: "Port of the filer door, likewise",
  },
  {
    name: "auth.local-user",
    kind: { kind: "switch" },
    default: "on",
    text: "Let the user who started the server use console, pipelines and the doors of master, volumes and filer from this machine without signing in",
  },
  {
    name: "volume.dir",
    kind: {
      kind: "list",
      placeholder: "DIR[,DIR…]",
      item: { kind: "path", placeholder: "DIR" },
    },
    default: undefined,
    text: "Folders of content, each a disk of its own that may fail without the others; by default one in --dir",
  },
  {
    name: "volume.max",
    kind: {
      kind: "list",
      placeholder: "N[,N…]",
      item: { kind: "count", placeholder: "N", minimum: 0, maximum: 8192 },
    },
    default: "0",
    text: "Volumes that are made in each folder at most, one number for all or one for each; 0 for as many as space allows",
  },
  {
    name: "volume.disk",
    kind: {
      kind: "list",
      placeholder: "TYPE[,TYPE…]",
      item: { kind: "text", placeholder: "TYPE" },
    },
    default: undefined,
    text: "Kind of disk behind each folder, such as hdd or ssd, which writers may ask for; one for all or one for each",
  },
  {
    name: "volume.sizeLimitMB",
    kind: { kind: "count", placeholder: "MIB", minimum: 1, maximum: 32_000 },
    default: "30000",
    text: "Size at which a volume file is closed and another begun",
  },
  {
    name: "volume.minFreeSpaceMB",
    kind: { kind: "count", placeholder: "MIB", minimum: 1, maximum: 1_000_000_000 },
    default: "100",
    text: "Space that new content leaves free on the disk of --dir and of each folder of volumes; below it writes are refused while reads and deletes go on",
  },
  {
    name: "encrypt.at-rest",
    kind: { kind: "text", placeholder: "SOURCE" },
    default: undefined,
    text: "Seal what is stored under the master key in file:/PATH or env:NAME: 32 random bytes as hex or base64",
  },
  {
    name: "encrypt.previous",
    kind: { kind: "text", placeholder: "SOURCE" },
    default: undefined,
    text: "The master key before a change: what stands under it is put under the one of --encrypt.at-rest",
  },
  {
    name: "volume.garbageThreshold",
    kind: { kind: "share" },
    default: "0.3",
    text: "Share of a volume that removed content may take before its space is freed in the background; on a disk that is nearly full any is",
  },
  {
    name: "volume.vacuumMBps",
    kind: { kind: "count", placeholder: "MIB", minimum: 1, maximum: 100_000 },
    default: "64",
    text: "MiB that freeing space reads and writes in a second at most",
  },
  {
    name: "volume.scrubDays",
    kind: { kind: "count", placeholder: "DAYS", minimum: 0, maximum: 3650 },
    default: "14",
    text: "Days in which everything stored is read once against its checksums; 0 for never",
  },
  {
    name: "volume.tier",
    kind: {
      kind: "list",
      placeholder: "NAME=folder:DIR[,…]",
      item: { kind: "text", placeholder: "NAME=folder:DIR" },
    },
    default: undefined,
    text: "Remote stores that volume files can be moved to, each with a name; folder:DIR is an absolute folder, such as a mounted share",
  },
  {
    name: "pipelines.python",
    kind: { kind: "text", placeholder: "PROGRAM" },
    default: "python3",
    text: "Python that steps of pipelines run with",
  },
  {
    name: "pipelines.parallelism",
    kind: { kind: "count", placeholder: "N", minimum: 1, maximum: 1000 },
    default: undefined,
    text: "Steps that run at the same time; by default one per processor, at least 2",
  },
  {
    name: "pipelines.image-policy",
    kind: { kind: "choice", values: ["host", "refuse"] },
    default: "host",
    text: "What happens to a step that names a container image: run its command on this host, or fail",
  },
  {
    name: "pipelines.cache",
    kind: { kind: "switch" },
    default: "on",
    text: "Reuse the outputs of steps that ran before with the same inputs",
  },
  {
    name: "pipelines.secrets",
    kind: { kind: "path", placeholder: "FILE" },
    default: undefined,
    text: "YAML file of secrets that steps may ask for: name, then key and value",
  },
  {
    name: "database.damaged-log",
    kind: { kind: "choice", values: ["refuse", "accept-loss"] },
    default: "refuse",
    text: "What happens when a database's write-ahead log has rotted: refuse to start, or keep a copy of the log and start without the transactions behind the damage",
  },
  {
    name: "log.level",
    kind: { kind: "choice", values: ["debug", "info", "warn", "error"] },
    default: "info",
    text: "Least important lines that are logged",
  },
  {
    name: "log.format",
    kind: { kind: "choice", values: ["pretty", "json"] },
    default: "pretty",
    text: "Log lines for people or for programs; they go to standard error",
  },
  {
    name: "ready-file",
    kind: { kind: "path", placeholder: "FILE" },
    default: undefined,
    text: "File that appears, with the addresses as JSON, when every door answers",
  },
] as const satisfies readonly OptionDefinition[];

export type ServerOptionName = (typeof SERVER_OPTIONS)[number]["name"];
