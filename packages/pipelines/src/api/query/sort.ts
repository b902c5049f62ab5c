import { ApiError } from "../errors.ts";
import type { Field, ListSource } from "./fields.ts";

export interface Sort {
  readonly key: string;
  readonly field: Field;
  readonly direction: "asc" | "desc";
}

const DEFAULT_KEY = "created_at";

/** `""`, `"field"`, `"field asc"` or `"field desc"`. Throws `ApiError` "invalid-argument". */
export function parseSort(source: ListSource, text: string): Sort {
  const [key = DEFAULT_KEY, direction = "asc", ...rest] = text.split(/\s+/).filter(Boolean);
  const field = source.fields.get(key);
  const lowerDirection = direction.toLowerCase();
  if (rest.length > 0 || (lowerDirection !== "asc" && lowerDirection !== "desc")) {
    throw new ApiError(
      "invalid-argument",
      `Cannot sort by ${JSON.stringify(text)}: expected a field, then asc or desc`,
    );
  }
  if (field === undefined) {
    throw new ApiError(
      "invalid-argument",
      `Cannot sort by ${JSON.stringify(key)}: a ${source.noun} has no such field to sort by`,
    );
  }
  return { key, field, direction: lowerDirection };
}
