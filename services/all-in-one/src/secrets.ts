import { readFileSync } from "node:fs";
import { parseYamlDocuments } from "@kelp/base/platform";
import { z } from "zod";
import { StartError } from "./errors.ts";
import { errorText } from "./folder/error-text.ts";

const secretsSchema = z.record(
  z.string().min(1),
  z.record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()])),
);

/** Secrets that steps may ask for: by name, then by key. */
export type Secrets = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Reads `name: { key: value }` from a YAML file. Throws `StartError` `secrets-invalid`; values never reach a message. */
export function readSecrets(file: string): Secrets {
  const parsed = secretsSchema.safeParse(readYaml(file) ?? {});
  if (!parsed.success) {
    const place = parsed.error.issues[0]?.path.join(".") ?? "";
    throw new StartError(
      "secrets-invalid",
      `Cannot use ${file}: ${place === "" ? "it" : place} must be name, then key and value`,
    );
  }
  return new Map(
    Object.entries(parsed.data).map(([name, values]) => [
      name,
      new Map(Object.entries(values).map(([key, value]) => [key, String(value)])),
    ]),
  );
}

function readYaml(file: string): unknown {
  try {
    return parseYamlDocuments(readFileSync(file, "utf8"))[0];
  } catch (error) {
    const message = `Cannot read the secrets: ${errorText(error)}`;
    throw new StartError("secrets-invalid", message, { cause: error });
  }
}
