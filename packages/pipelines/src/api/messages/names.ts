import { ApiError } from "../errors.ts";
import { DESCRIPTION_LENGTH_MAX, TAGS_MAX, TAG_LENGTH_MAX } from "../limits.ts";
import { readJsonText, textMap } from "./proto.ts";

/** Checks texts that people choose. All throw `ApiError` "invalid-argument". */

export function checkName(what: string, name: string, lengthMax: number): string {
  if (name === "") throw new ApiError("invalid-argument", `Cannot use ${what}: it is empty`);
  // Code points are at most as many as UTF-16 units, so short texts need no counting.
  const length = name.length <= lengthMax ? name.length : codePoints(name);
  if (length > lengthMax) {
    throw new ApiError(
      "invalid-argument",
      `Cannot use ${what}: it has ${length} characters, expected at most ${lengthMax}`,
    );
  }
  return name;
}

export function checkDescription(description: string): string {
  return description === ""
    ? ""
    : checkName("the description", description, DESCRIPTION_LENGTH_MAX);
}

export type Tags = Readonly<Record<string, string>>;

export function checkTags(tags: Tags): Tags {
  const entries = Object.entries(tags);
  if (entries.length > TAGS_MAX) {
    throw invalidTags(`there are ${entries.length}, expected at most ${TAGS_MAX}`);
  }
  for (const [key, value] of entries) {
    if (key === "") throw invalidTags("a key is empty");
    if (key.includes(".")) throw invalidTags(`key ${JSON.stringify(key)} has a dot`);
    for (const part of [key, value]) {
      if (codePoints(part) > TAG_LENGTH_MAX) {
        throw invalidTags(
          `${JSON.stringify(part)} has ${codePoints(part)} characters, expected at most ${TAG_LENGTH_MAX}`,
        );
      }
    }
  }
  return tags;
}

/** Tags in a query string: a JSON object of texts, or nothing. */
export function parseTags(jsonText: string): Tags {
  return jsonText === "" ? {} : checkTags(readJsonText(textMap, jsonText, "tags"));
}

function invalidTags(what: string): ApiError {
  return new ApiError("invalid-argument", `Cannot use tags: ${what}`);
}

function codePoints(text: string): number {
  return Array.from(text).length;
}
