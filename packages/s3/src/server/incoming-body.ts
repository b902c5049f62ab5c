import { type ReceiveOptions, type StallWatch, receiveStream, receiveWhole } from "@kelp/base/http";
import type { IncomingBody as ReceivedBody } from "@kelp/base/http1";
import { EMPTY_BYTES, type Hashes, type Semaphore } from "@kelp/base";
import type { OpenBody, OpenDocument, RequestBody } from "../operations/operation.ts";
import { decodeBody, decodeWhole } from "../body/index.ts";
import { DOCUMENT_BYTES_MAX, WHOLE_BODY_BYTES_MAX } from "../limits.ts";
import type { S3Caller } from "../auth/index.ts";
import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";

/** What reading a body needs of its server. */
export interface BodyOptions {
  readonly hashes: Hashes;
  readonly stalls: StallWatch;
  /** Bounds `DOCUMENTS_AT_ONCE_MAX`. */
  readonly documents: Semaphore;
}

/** The body of one request, undone and verified. A client that waits for `100 Continue` is told with the first read. */
export class IncomingBody implements RequestBody {
  readonly #received: ReceivedBody;
  readonly #request: S3Request;
  readonly #caller: S3Caller;
  readonly #options: BodyOptions;

  constructor(
    received: ReceivedBody,
    about: { readonly request: S3Request; readonly caller: S3Caller },
    options: BodyOptions,
  ) {
    this.#received = received;
    this.#request = about.request;
    this.#caller = about.caller;
    this.#options = options;
  }

  async open(): Promise<OpenBody> {
    const { hashes } = this.#options;
    const { lengthBytes, isAnnounced } = this.#received;
    if (!isAnnounced || lengthBytes === undefined || lengthBytes > WHOLE_BODY_BYTES_MAX) {
      const source = receiveStream(this.#received, this.#receive(Number.POSITIVE_INFINITY));
      const decoded = decodeBody(this.#request, source, this.#caller, { hashes });
      return { body: decoded.stream, sizeBytes: decoded.sizeBytes, verified: decoded.verified };
    }
    const raw = lengthBytes === 0 ? EMPTY_BYTES : await this.#readWhole(lengthBytes);
    const whole = decodeWhole(this.#request, raw, this.#caller, { hashes });
    return { body: whole.bytes, sizeBytes: whole.bytes.length, verified: () => whole.verified };
  }

  async document(checksumHeaders: "verify" | "ignore" = "verify"): Promise<OpenDocument> {
    const { lengthBytes, isAnnounced } = this.#received;
    if (!isAnnounced) return { bytes: EMPTY_BYTES, verified: [] };
    if (lengthBytes !== undefined && lengthBytes > DOCUMENT_BYTES_MAX) {
      throw new S3Error("MaxMessageLengthExceeded");
    }
    // Small ones are no heavier than small objects and wait for nobody, however slowly others send large ones.
    const isSmall = lengthBytes !== undefined && lengthBytes <= WHOLE_BODY_BYTES_MAX;
    using _permit = isSmall ? undefined : await this.#options.documents.acquire();
    const raw = lengthBytes === 0 ? EMPTY_BYTES : await this.#readWhole(DOCUMENT_BYTES_MAX);
    const { hashes } = this.#options;
    return decodeWhole(this.#request, raw, this.#caller, { hashes, checksumHeaders });
  }

  /** The body as it came, in one buffer. Throws `MaxMessageLengthExceeded` beyond `limitBytes`. */
  #readWhole(limitBytes: number): Promise<Uint8Array> {
    return receiveWhole(this.#received, this.#receive(limitBytes));
  }

  #receive(limitBytes: number): ReceiveOptions {
    return { limitBytes, stalls: this.#options.stalls, errors: BODY_ERRORS };
  }
}

const BODY_ERRORS: ReceiveOptions["errors"] = {
  tooLarge: () => new S3Error("MaxMessageLengthExceeded"),
  tooSlow: () => new S3Error("RequestTimeout"),
  cut: (cause) => new S3Error("IncompleteBody", undefined, { cause }),
};
