/** Who makes an S3 request, proven by Signature Version 4. */
export { type AuthOptions, type S3Caller, authenticate } from "./authenticate.ts";
export { ChunkSigner } from "./chunk-signer.ts";
export type { PayloadMode } from "./payload-mode.ts";
