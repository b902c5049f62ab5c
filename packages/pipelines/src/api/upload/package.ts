import { type ParseYamlDocuments, YamlError } from "@kelp/base";
import { ApiError } from "../errors.ts";
import { PACKAGE_BYTES_MAX } from "../limits.ts";
import { isGzip, isZip, readTarGz, readZip } from "./archive.ts";

/**
 * Reads a compiled pipeline from a file: YAML or JSON by its name, else a zip or tar.gz by its content.
 * The value is what `pipeline_spec` is in JSON: a specification, or one wrapped together with its platform
 * specification; not yet checked. Throws `ApiError` "invalid-argument" or "too-large".
 */
export function readPackage(
  fileName: string,
  bytes: Uint8Array,
  parseYaml: ParseYamlDocuments,
): unknown {
  if (bytes.length > PACKAGE_BYTES_MAX) {
    throw new ApiError(
      "too-large",
      `Cannot read the package: it has ${bytes.length} bytes, expected at most ${PACKAGE_BYTES_MAX}`,
    );
  }
  return readSpecText(toText(unpack(fileName, bytes)), parseYaml);
}

function unpack(fileName: string, bytes: Uint8Array): Uint8Array {
  if (/\.(ya?ml|json)$/i.test(fileName)) return bytes;
  if (isZip(bytes)) return readZip(bytes);
  if (isGzip(bytes)) return readTarGz(bytes);
  throw new ApiError(
    "invalid-argument",
    "Cannot read the package: it is no .yaml, .yml, .json, .zip or .tar.gz file",
  );
}

function toText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ApiError("invalid-argument", "Cannot read the package: it is no UTF-8 text", {
      cause: error,
    });
  }
}

/** The one or two documents of a compiled pipeline as one value. Throws `ApiError` "invalid-argument". */
export function readSpecText(text: string, parseYaml: ParseYamlDocuments): unknown {
  const documents = readDocuments(text, parseYaml).filter((document) => document !== null);
  const [spec, platformSpec, ...more] = documents;
  if (spec === undefined) {
    throw new ApiError("invalid-argument", "Cannot read the package: it has no document");
  }
  if (more.length > 0) {
    throw new ApiError(
      "invalid-argument",
      `Cannot read the package: it has ${documents.length} documents, expected a specification and a platform specification`,
    );
  }
  return platformSpec === undefined ? spec : { pipeline_spec: spec, platform_spec: platformSpec };
}

function readDocuments(text: string, parseYaml: ParseYamlDocuments): unknown[] {
  try {
    return parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new ApiError("invalid-argument", `Cannot read the package: ${error.message}`, {
      cause: error,
    });
  }
}
