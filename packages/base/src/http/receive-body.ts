import type { ByteStream } from "../body.ts";
import { EMPTY_BYTES, joinBytes } from "../bytes.ts";
import { BodyCutError, type IncomingBody } from "../http1/index.ts";
import type { HeldShare, StallWatch } from "./stall-watch.ts";

/** What is thrown for a body that does not come as it should, in the words of the door. */
export interface BodyErrors {
  tooLarge(): Error;
  tooSlow(): Error;
  /** `cause`: what was wrong with its framing, if it was not the client's leaving. */
  cut(cause: unknown): Error;
}

export interface ReceiveOptions {
  readonly limitBytes: number;
  readonly stalls: StallWatch;
  readonly errors: BodyErrors;
}

/**
 * A body in one buffer, the caller's own. `grow` is told the size before a piece is kept, and throws to refuse. What is held while others wait for
 * it is `share`.
 */
export async function receiveWhole(
  body: IncomingBody,
  options: ReceiveOptions & {
    readonly grow?: ((sizeBytes: number) => void) | undefined;
    readonly share?: HeldShare | undefined;
  },
): Promise<Uint8Array> {
  const { limitBytes, errors, grow, stalls, share } = options;
  const whole = body.takeWhole();
  if (whole !== undefined) {
    if (whole.length > limitBytes) throw errors.tooLarge();
    grow?.(whole.length);
    return whole;
  }
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  using transfer = stalls.watch(() => body.fail(errors.tooSlow()), share);
  for (;;) {
    const piece = await readPiece(body, errors);
    if (piece === undefined) break;
    body.keep();
    sizeBytes += piece.length;
    transfer.moved(piece.length);
    if (sizeBytes > limitBytes) throw errors.tooLarge();
    grow?.(sizeBytes);
    pieces.push(piece);
  }
  return pieces.length === 0 ? EMPTY_BYTES : joinBytes(pieces);
}

/** A body piece by piece, each lent until the next. */
export async function* receiveStream(body: IncomingBody, options: ReceiveOptions): ByteStream {
  const { limitBytes, errors, stalls } = options;
  using transfer = stalls.watch(() => body.fail(errors.tooSlow()));
  let sizeBytes = 0;
  for (;;) {
    const piece = await readPiece(body, errors);
    if (piece === undefined) return;
    sizeBytes += piece.length;
    if (sizeBytes > limitBytes) throw errors.tooLarge();
    transfer.moved(piece.length);
    transfer.setWaiting("on-us");
    yield piece;
    transfer.setWaiting("on-client");
  }
}

async function readPiece(body: IncomingBody, errors: BodyErrors): Promise<Uint8Array | undefined> {
  try {
    return await body.read();
  } catch (error) {
    if (error instanceof BodyCutError) throw errors.cut(error.cause);
    throw error;
  }
}
