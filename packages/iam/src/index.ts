/** Identities, access keys and the one evaluator of permissions. */
export { IamError, type IamErrorCode } from "./errors.ts";
export { type Iam, type IamOptions, openIam } from "./iam.ts";
