import { HttpError } from "./http-error.ts";

/** The parameters of a request, decoded as forms write them: `+` is a space. Of a repeated name the first counts. */
export class Query {
  readonly #values = new Map<string, string>();

  /** Throws `HttpError` 400 on broken encoding. */
  constructor(rawQuery: string) {
    for (const piece of rawQuery.split("&")) {
      if (piece === "") continue;
      const equals = piece.indexOf("=");
      const name = decode(equals === -1 ? piece : piece.slice(0, equals));
      if (this.#values.has(name)) continue;
      this.#values.set(name, equals === -1 ? "" : decode(piece.slice(equals + 1)));
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** `undefined` when absent or empty: scripts write `?ttl=` for no TTL. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === "" ? undefined : value;
  }

  /** `true`, `1`, `yes` and the like; a name alone is not enough. */
  isTrue(name: string): boolean {
    return TRUE.has(this.#values.get(name)?.toLowerCase() ?? "");
  }

  isFalse(name: string): boolean {
    return FALSE.has(this.#values.get(name)?.toLowerCase() ?? "");
  }

  /** A whole number inside the bounds, or `absent` without the parameter. Throws `HttpError` 400 for anything else. */
  count(
    name: string,
    bounds: { readonly min: number; readonly max: number; absent: number },
  ): number {
    const value = this.text(name);
    if (value === undefined) return bounds.absent;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= bounds.min && number <= bounds.max)) {
      throw new HttpError(400, `${name} must be a number from ${bounds.min} to ${bounds.max}`);
    }
    return number;
  }
}

const TRUE: ReadonlySet<string> = new Set(["true", "1", "yes", "t", "y", "on"]);
const FALSE: ReadonlySet<string> = new Set(["false", "0", "no", "f", "n", "off"]);

function decode(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  return percentDecoded(text.replaceAll("+", " "));
}

/** Decodes percent-encoded UTF-8 and nothing else. Throws `HttpError` 400 on broken escapes or bytes that are no UTF-8. */
export function percentDecoded(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new HttpError(400, "The address is not encoded correctly", { cause });
  }
}
