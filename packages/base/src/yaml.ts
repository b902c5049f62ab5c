/** Reading YAML as a port: parsers differ by runtime. `platform` holds the real one. */

/**
 * All documents of a YAML text as JSON data (null, boolean, finite number, text, array, plain object), in order.
 * A text without any document gives an empty array. Throws `YamlError` on anything else.
 * Of equal keys in one mapping the last one counts.
 */
export type ParseYamlDocuments = (text: string) => unknown[];

export type YamlErrorCode = "syntax" | "too-large" | "too-deep" | "no-json-value";

/** A text that is no YAML, or whose content is no JSON data of a bearable size. */
export class YamlError extends Error {
  override readonly name = "YamlError";
  readonly code: YamlErrorCode;

  constructor(code: YamlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
