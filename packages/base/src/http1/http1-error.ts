/** What a client sent is no HTTP/1.1 that is understood here. The message goes to the client, and the connection ends. */
export class Http1Error extends Error {
  override readonly name = "Http1Error";
  readonly status: 400 | 414 | 417 | 431 | 501 | 505;

  constructor(status: Http1Error["status"], message: string) {
    super(message);
    this.status = status;
  }
}

/** The body of the answer to such a client. */
export interface RefusalBody {
  readonly mediaType: string;
  readonly text: string;
}

/** The client ended or broke a body before its announced end. */
export class BodyCutError extends Error {
  override readonly name = "BodyCutError";

  constructor(options: { readonly cause?: unknown } = {}) {
    super("The body ended before its announced end", options);
  }
}
