/** The S3 room's door: the server, and what its owner needs to make one. */
export { S3_ERROR_CODES, S3Error, type S3ErrorCode } from "./errors.ts";
export type { Region } from "./operations/operation.ts";
export { type S3Server, type S3ServerOptions, openS3Server } from "./server/server.ts";
