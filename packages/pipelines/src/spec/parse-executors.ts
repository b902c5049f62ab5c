import { Fields, type JsonObject, invalid, isJsonObject } from "./json.ts";
import type { ContainerSpec, ExecutorSpec, ImporterSpec, PlatformSpec } from "./model.ts";
import { objectOf, schemaTitle } from "./parse-component.ts";

export function parseExecutor(fields: Fields): ExecutorSpec {
  const container = fields.object("container");
  if (container !== undefined) return parseContainer(container);
  const importer = fields.object("importer");
  if (importer !== undefined) return parseImporter(importer);
  const found = fields.names().join(", ");
  throw invalid(
    fields.path,
    `has ${found === "" ? "nothing" : found}, expected container or importer`,
  );
}

function parseContainer(fields: Fields): ContainerSpec {
  const resources = fields.raw("resources");
  return {
    kind: "container",
    image: fields.string("image") ?? "",
    command: fields.strings("command"),
    arguments: fields.strings("args"),
    environment: fields.list("env", (value, path) => {
      const variable = new Fields(value, path);
      return { name: variable.requiredString("name"), value: variable.string("value") ?? "" };
    }),
    resources: isJsonObject(resources) ? resources : undefined,
  };
}

function parseImporter(fields: Fields): ImporterSpec {
  const uri = fields.requiredObject("artifactUri");
  const input = uri.string("runtimeParameter");
  const constant = uri.string("constant") ?? uri.object("constantValue")?.string("stringValue");
  return {
    kind: "importer",
    uri:
      input === undefined
        ? { kind: "constant", uri: constant ?? uri.requiredString("constant") }
        : { kind: "parameter", input },
    type: schemaTitle(fields.object("typeSchema")),
    metadata: { ...objectOf(fields, "metadata") },
    isReimport: fields.boolean("reimport"),
    isWorkspaceDownload: fields.boolean("downloadToWorkspace"),
  };
}

const NO_PLATFORM: PlatformSpec = { executors: new Map(), hasWorkspace: false, runTimeoutMs: 0 };

/** `value` is the second document, or `undefined` when there is none. Only the platform `kubernetes` is read. */
export function parsePlatform(value: unknown): PlatformSpec {
  if (value === undefined || value === null) return NO_PLATFORM;
  const document = new Fields(value, "platformSpec");
  document.allowOnly(["platforms"]);
  const platform = document.object("platforms")?.object("kubernetes");
  if (platform === undefined) return NO_PLATFORM;
  const executors = new Map<string, JsonObject>();
  const listed = platform.object("deploymentSpec")?.object("executors");
  for (const label of listed?.names() ?? []) {
    if (listed !== undefined) executors.set(label, objectOf(listed, label));
  }
  const config = platform.object("pipelineConfig");
  return {
    executors,
    hasWorkspace: config?.object("workspace") !== undefined,
    runTimeoutMs: (config?.count("activeDeadlineSeconds") ?? 0) * 1000,
  };
}
