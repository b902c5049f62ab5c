import { existsSync, readFileSync } from "node:fs";
import { type Disk, type Random, utf8 } from "@kelp/base";
import { z } from "zod";
import { StartError } from "../errors.ts";
import { errorText } from "./error-text.ts";

const signingKeySchema = z
  .string()
  .regex(/^[!-~]{16,256}$/, "must be 16 to 256 visible ASCII characters");

const credentialsSchema = z.object({
  access_key: z.string().regex(/^[\w.@+-]{3,128}$/, "must be 3 to 128 letters, digits or _.@+-"),
  secret_key: z.string().regex(/^[!-~]{8,256}$/, "must be 8 to 256 visible ASCII characters"),
  console_token: z.string().min(20),
  // Absent in folders of versions that had no doors for them.
  jwt_signing_key: signingKeySchema.optional(),
  jwt_signing_read_key: signingKeySchema.optional(),
  jwt_filer_signing_key: signingKeySchema.optional(),
  jwt_filer_signing_read_key: signingKeySchema.optional(),
});

type StoredCredentials = z.infer<typeof credentialsSchema>;
type SigningKeyName = `jwt_${"" | "filer_"}signing_${"" | "read_"}key`;

/**
 * The root pair, the token of the people's doors, and what signed tokens are signed with, as `credentials.json`
 * (mode 0600) holds them.
 */
export type Credentials = StoredCredentials & Readonly<Record<SigningKeyName, string>>;

/** What is given from outside, and wins over what is stored. */
export interface GivenCredentials {
  readonly accessKey: string | undefined;
  readonly secretKey: string | undefined;
  readonly signingKeys: Readonly<Record<SigningKeyName, string | undefined>>;
}

/** Where each signing key may be given. */
const SIGNING_KEY_VARIABLES = {
  jwt_signing_key: "KELP_JWT_SIGNING_KEY",
  jwt_signing_read_key: "KELP_JWT_SIGNING_READ_KEY",
  jwt_filer_signing_key: "KELP_JWT_FILER_SIGNING_KEY",
  jwt_filer_signing_read_key: "KELP_JWT_FILER_SIGNING_READ_KEY",
} as const satisfies Record<SigningKeyName, string>;

const SIGNING_KEY_NAMES = Object.keys(SIGNING_KEY_VARIABLES) as readonly SigningKeyName[];

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** Letters and digits only: a secret that begins with a hyphen would look like a flag. */
const LETTERS_AND_DIGITS = `${BASE32.slice(0, 26)}abcdefghijklmnopqrstuvwxyz0123456789AB`;

/**
 * The stored credentials, made at random when there are none. A given pair is stored in their place, so that the
 * other commands find it. Throws `StartError` `credentials-invalid`.
 */
export async function loadCredentials(
  path: string,
  given: GivenCredentials,
  deps: { readonly disk: Disk; readonly random: Random },
): Promise<Credentials> {
  const stored = readCredentials(path);
  const paired = withGivenPair(stored ?? randomCredentials(deps.random), given);
  const wanted = withSigningKeys(paired, given, deps.random);
  if (JSON.stringify(stored) !== JSON.stringify(wanted)) {
    const text = `${JSON.stringify(wanted, undefined, 2)}\n`;
    await deps.disk.writeWhole(path, utf8(text), { mode: 0o600 });
  }
  return wanted;
}

/** `undefined` when there is no such file. */
export function readCredentials(path: string): StoredCredentials | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = credentialsSchema.safeParse(readJson(path));
  if (parsed.success) return parsed.data;
  const reason = parsed.error.issues[0];
  throw new StartError(
    "credentials-invalid",
    `Cannot use ${path}: ${reason === undefined ? "it is not complete" : `${reason.path.join(".")}: ${reason.message}`}`,
  );
}

function withGivenPair(credentials: StoredCredentials, given: GivenCredentials): StoredCredentials {
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

function withSigningKeys(
  credentials: StoredCredentials,
  given: GivenCredentials,
  random: Random,
): Credentials {
  const keys: Partial<Record<SigningKeyName, string>> = {};
  for (const name of SIGNING_KEY_NAMES) {
    const key = given.signingKeys[name];
    if (key !== undefined && !signingKeySchema.safeParse(key).success) {
      const reason = "it must be 16 to 256 visible ASCII characters";
      const message = `Cannot use ${SIGNING_KEY_VARIABLES[name]}: ${reason}`;
      throw new StartError("credentials-invalid", message);
    }
    keys[name] = key ?? credentials[name] ?? randomText(random, 43, LETTERS_AND_DIGITS);
  }
  refuseSharedKeys(keys);
  return { ...credentials, ...(keys as Record<SigningKeyName, string>) };
}

/** One key for two kinds of token would let a token for reading write. */
function refuseSharedKeys(keys: Partial<Record<SigningKeyName, string>>): void {
  const owner = new Map<string | undefined, SigningKeyName>();
  for (const name of SIGNING_KEY_NAMES) {
    const other = owner.get(keys[name]);
    if (other !== undefined) {
      throw new StartError(
        "credentials-invalid",
        `Cannot use the same signing key twice: ${SIGNING_KEY_VARIABLES[other]} and ${SIGNING_KEY_VARIABLES[name]} must differ`,
      );
    }
    owner.set(keys[name], name);
  }
}

function randomCredentials(random: Random): StoredCredentials {
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
