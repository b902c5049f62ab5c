export { checkIdentities } from "./check.ts";
/** Identities, access keys and the one evaluator of permissions. */
export { IamError, type IamErrorCode } from "./errors.ts";
export { type Iam, type IamOptions, type IamReader, openIam, openIamReader } from "./iam.ts";
export type { IdentityDamage } from "./store.ts";
