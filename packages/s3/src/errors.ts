/**
 * Every error that the S3 door answers with: code, HTTP status and the sentence for people. Clients branch on the code.
 * Source: the S3 API reference, "Error responses"; codes marked vendor are used by several self-hosted stores.
 */
const CATALOGUE = {
  AccessDenied: [403, "Access denied"],
  AuthorizationHeaderMalformed: [400, "The authorization header is malformed"],
  AuthorizationQueryParametersError: [
    400,
    "The query-string authorization parameters are malformed",
  ],
  BadDigest: [400, "The checksum you specified did not match what we received"],
  BadRequest: [400, "The request is not valid"],
  BucketAlreadyExists: [409, "The requested bucket name is not available"],
  BucketAlreadyOwnedByYou: [
    409,
    "The bucket that you tried to create already exists, and you own it",
  ],
  BucketNotEmpty: [409, "The bucket that you tried to delete is not empty"],
  ConditionalRequestConflict: [
    409,
    "A conflicting operation occurred during this conditional request",
  ],
  EntityTooLarge: [400, "Your proposed upload exceeds the maximum allowed object size"],
  EntityTooSmall: [400, "Your proposed upload is smaller than the minimum allowed part size"],
  ExpiredToken: [400, "The provided token has expired"],
  IllegalLocationConstraintException: [
    400,
    "The location constraint is not valid for this endpoint",
  ],
  IncompleteBody: [
    400,
    "You did not provide the number of bytes specified by the Content-Length header",
  ],
  InternalError: [500, "We encountered an internal error"],
  InvalidAccessKeyId: [403, "The access key id you provided does not exist"],
  InvalidArgument: [400, "Invalid argument"],
  InvalidBucketName: [400, "The specified bucket is not valid"],
  InvalidDigest: [400, "The Content-MD5 or checksum value that you specified is not valid"],
  InvalidPart: [
    400,
    "One or more of the specified parts could not be found, or its ETag did not match",
  ],
  InvalidPartNumber: [416, "The requested part number is not satisfiable"],
  InvalidPartOrder: [400, "The list of parts was not in ascending order"],
  InvalidRange: [416, "The requested range is not satisfiable"],
  InvalidRequest: [400, "The request is not valid"],
  InvalidStorageClass: [400, "The storage class you specified is not valid"],
  InvalidToken: [400, "The provided token is malformed or otherwise not valid"],
  InvalidURI: [400, "The specified URI could not be parsed"],
  KeyTooLongError: [400, "Your key is too long"],
  MalformedTrailerError: [
    400,
    "The request contained trailing data that was not well-formed or did not match its declaration",
  ],
  MalformedXML: [
    400,
    "The XML you provided was not well-formed or did not validate against our schema",
  ],
  MaxMessageLengthExceeded: [400, "Your request was too large"],
  MetadataTooLarge: [400, "Your metadata headers exceed the maximum allowed metadata size"],
  MethodNotAllowed: [405, "The specified method is not allowed against this resource"],
  MissingContentLength: [411, "You must provide the Content-Length HTTP header"],
  MissingSecurityHeader: [400, "Your request is missing a required header"],
  NoSuchBucket: [404, "The specified bucket does not exist"],
  NoSuchKey: [404, "The specified key does not exist"],
  NoSuchUpload: [404, "The specified multipart upload does not exist"],
  NoSuchVersion: [404, "The specified version does not exist"],
  NotImplemented: [
    501,
    "A header or operation you provided implies functionality that is not implemented",
  ],
  NotModified: [304, "Not modified"],
  PreconditionFailed: [412, "At least one of the preconditions you specified did not hold"],
  QuotaExceeded: [403, "The bucket's quota is exceeded"],
  RequestTimeTooSkewed: [
    403,
    "The difference between the request time and the server's time is too large",
  ],
  RequestTimeout: [
    400,
    "Your socket connection to the server was not read from or written to within the timeout period",
  ],
  ServiceUnavailable: [503, "Please reduce your request rate or try again later"],
  SignatureDoesNotMatch: [
    403,
    "The request signature we calculated does not match the signature you provided",
  ],
  SlowDown: [503, "Please reduce your request rate"],
  StorageFull: [507, "The store has no space left for this write"],
  TooManyParts: [400, "You have attempted to upload more parts than allowed"],
  XAmzContentSHA256Mismatch: [
    400,
    "The provided x-amz-content-sha256 header does not match what was computed",
  ],
} as const satisfies Readonly<Record<string, readonly [status: number, message: string]>>;

export type S3ErrorCode = keyof typeof CATALOGUE;

export const S3_ERROR_CODES = Object.keys(CATALOGUE) as readonly S3ErrorCode[];

/** A refusal as the S3 door answers it. `details` become child elements of `<Error>`, such as `Region` or `BucketName`. */
export class S3Error extends Error {
  override readonly name = "S3Error";
  readonly code: S3ErrorCode;
  readonly status: number;
  readonly details: Readonly<Record<string, string>>;

  constructor(
    code: S3ErrorCode,
    message?: string,
    options?: ErrorOptions & { readonly details?: Readonly<Record<string, string>> },
  ) {
    const [status, standard] = CATALOGUE[code];
    super(message ?? standard, options);
    this.code = code;
    this.status = status;
    this.details = options?.details ?? {};
  }
}
