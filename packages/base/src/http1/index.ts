/** HTTP/1.1 as RFC 9112 has it, over the sockets of `TcpNetwork`: what the doors stand on. */
export { Http1Exchange } from "./exchange.ts";
export { BodyCutError, Http1Error, type RefusalBody } from "./http1-error.ts";
export { IncomingBody } from "./incoming-body.ts";
export type { RequestHead } from "./request-head.ts";
export { type RequestHeaders } from "./request-headers.ts";
export type { ResponseHeaders } from "./response-head.ts";
export { type ResponseWriter } from "./response-writer.ts";
export { type Http1Limits, Http1Server } from "./server.ts";
