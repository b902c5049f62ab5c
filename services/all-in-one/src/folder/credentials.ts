import { existsSync, readFileSync } from "node:fs";
import { type Disk, type Random, utf8 } from "@kelp/base";
import { z } from "zod";
import { StartError } from "../errors.ts";
import { errorText } from "./error-text.ts";

const credentialsSchema = z.object({
  access_key: z.string().regex(/^[\w.@+-]{3,128}$/, "must be 3 to 128 letters, digits or _.@+-"),
  secret_key: z.string().regex(/^[!-~]{8,256}$/, "must be 8 to 256 visible ASCII characters"),
  console_token: z.string().min(20),
});

/** The root pair and the token of the people's doors, as `credentials.json` (mode 0600) holds them. */
export type Credentials = z.infer<typeof credentialsSchema>;

/** A pair given from outside, which wins over the stored one. */
export interface GivenPair {
  readonly accessKey: string | undefined;
  readonly secretKey: string | undefined;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** Letters and digits only: a secret that begins with a hyphen would look like a flag. */
const LETTERS_AND_DIGITS = `${BASE32.slice(0, 26)}abcdefghijklmnopqrstuvwxyz0123456789AB`;

/**
 * The stored credentials, made at random when there are none. A given pair is stored in their place, so that the
 * other commands find it. Throws `StartError` `credentials-invalid`.
 */
export async function loadCredentials(
  path: string,
  given: GivenPair,
  deps: { readonly disk: Disk; readonly random: Random },
): Promise<Credentials> {
  const stored = readCredentials(path);
  const wanted = withGivenPair(stored ?? randomCredentials(deps.random), given);
  const isStored =
    stored !== undefined &&
    stored.access_key === wanted.access_key &&
    stored.secret_key === wanted.secret_key;
  if (!isStored) {
    const text = `${JSON.stringify(wanted, undefined, 2)}\n`;
    await deps.disk.writeWhole(path, utf8(text), { mode: 0o600 });
  }
  return wanted;
}

/** `undefined` when there is no such file. */
export function readCredentials(path: string): Credentials | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = credentialsSchema.safeParse(readJson(path));
  if (parsed.success) return parsed.data;
  const reason = parsed.error.issues[0];
  throw new StartError(
    "credentials-invalid",
    `Cannot use ${path}: ${reason === undefined ? "it is not complete" : `${reason.path.join(".")}: ${reason.message}`}`,
  );
}

function withGivenPair(credentials: Credentials, given: GivenPair): Credentials {
  if (given.accessKey === undefined && given.secretKey === undefined) return credentials;
  if (given.accessKey === undefined || given.secretKey === undefined) {
    throw new StartError(
      "credentials-invalid",
      "Cannot use half a key pair: set both KELP_ROOT_ACCESS_KEY and KELP_ROOT_SECRET_KEY, or neither",
    );
  }
  const parsed = credentialsSchema.safeParse({
    ...credentials,
    access_key: given.accessKey,
    secret_key: given.secretKey,
  });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const variable =
    issue?.path[0] === "secret_key" ? "KELP_ROOT_SECRET_KEY" : "KELP_ROOT_ACCESS_KEY";
  const reason = issue?.message ?? "is not valid";
  throw new StartError("credentials-invalid", `Cannot use ${variable}: it ${reason}`);
}

function randomCredentials(random: Random): Credentials {
  return {
    access_key: `KELP${randomText(random, 16, BASE32)}`,
    secret_key: randomText(random, 40, LETTERS_AND_DIGITS),
    console_token: randomText(random, 43, LETTERS_AND_DIGITS),
  };
}

/** `letters` has a length that divides 256 (two of its letters may be the same), so no letter is likelier by rounding. */
function randomText(random: Random, length: number, letters: string): string {
  return Array.from(random.bytes(length), (byte) => letters[byte % letters.length]).join("");
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const message = `Cannot read ${path}: ${errorText(error)}`;
    throw new StartError("credentials-invalid", message, { cause: error });
  }
}
