/** HTTP without a word of the domain: what the doors of several rooms share. */
export { type Validators, allowsRange, decideRead, splitEtags } from "./conditions.ts";
export { BytesContent, type ReadableContent, contentReply } from "./content-reply.ts";
export { httpDate, isoDate, parseHttpDate } from "./dates.ts";
export { type FormField, type FormPart, FormReader, formBoundary, parseForm } from "./form.ts";
export { overrideHeaders } from "./header-overrides.ts";
export { decodeHeaderText, encodeHeaderText, headerText, isHeaderSafe } from "./headers.ts";
export {
  CONTENT_POLICY,
  escapeHtml,
  htmlReply,
  htmlTable,
  readableDuration,
  readableSize,
} from "./html.ts";
export { type FetchDoorOptions, openFetchDoor } from "./server/fetch-door.ts";
export {
  type HttpDoor,
  type HttpDoorOptions,
  type HttpHandler,
  openHttpDoor,
} from "./server/http-door.ts";
export { HttpError } from "./http-error.ts";
export { HttpRequest } from "./http-request.ts";
export { contentDisposition, mediaTypeOfName } from "./media-types.ts";
export { Query, percentDecoded } from "./query.ts";
export { decideRange } from "./ranges.ts";
export { type HttpReply, type ReplyHeaders, emptyReply, jsonReply, textReply } from "./reply.ts";
export { type ReceiveOptions, receiveStream, receiveWhole } from "./receive-body.ts";
export { type HeldBytes, RequestBody } from "./request-body.ts";
export { type HeldShare, StallWatch, type Transfer } from "./stall-watch.ts";
