import { assert } from "@kelp/base";

/**
 * Bounds of the directory that is held in memory. An identity with two keys and five actions takes about 2 KiB, so a
 * full directory of such takes about 20 MiB.
 */
export const IDENTITIES_MAX = 10_000;
export const KEYS_PER_IDENTITY_MAX = 32;
export const ACTIONS_PER_IDENTITY_MAX = 256;
export const STATEMENTS_PER_IDENTITY_MAX = 64;
/** Actions or resources in one statement. */
export const PATTERNS_PER_STATEMENT_MAX = 64;
/** An ARN of a 63-character bucket and a key of 1024 bytes fits. */
export const PATTERN_LENGTH_MAX = 1200;
export const NAME_LENGTH_MAX = 64;

assert(PATTERN_LENGTH_MAX > 1024 + 63 + 16, "every object can be named in a statement");
