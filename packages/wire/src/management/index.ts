/**
 * The JSON of the people's doors: `/api/v1` (console and shell) and Kelp's own additions to the pipelines API under
 * `/apis/kelp/v1`. Snake case, times in milliseconds since the epoch unless the name ends in `_at` (RFC 3339).
 */
export type * from "./messages.ts";
export type * from "./pipelines.ts";
