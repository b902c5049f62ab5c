import type { Http1Exchange, ResponseHeaders, ResponseWriter } from "../http1/index.ts";
import { EMPTY_BYTES } from "../bytes.ts";
import { HttpError } from "./http-error.ts";
import { type ReceiveOptions, receiveStream } from "./receive-body.ts";
import type { StallWatch } from "./stall-watch.ts";

/** Exchanges for handlers that speak the Fetch standard. Its URLs are normalised: only for doors whose raw paths do not matter. */

/** `onBodyFailed` is told why reading the body failed: handlers make what they like of it. Throws `HttpError` 400 for a host or target that is none. */
export function fetchRequest(
  exchange: Http1Exchange,
  stalls: StallWatch,
  onBodyFailed: (error: unknown) => void,
): Request {
  const { method, target, lines, headers } = exchange.head;
  const host = headers.host ?? "localhost";
  if (!target.startsWith("/")) throw new HttpError(400, "The target of the request is not a path");
  const base = `http://${host}`;
  const url = URL.parse(base + target);
  // An empty host, or what a URL reads otherwise than it stands there, is none that a page could have.
  if (url === null || !isHostOf(url, host)) throw new HttpError(400, "The host is not valid");
  const list: [string, string][] = [];
  for (let at = 0; at + 1 < lines.length; at += 2)
    list.push([lines[at] ?? "", lines[at + 1] ?? ""]);
  const init: RequestInit = { method, headers: list, signal: exchange.signal };
  if (method !== "GET" && method !== "HEAD" && exchange.body.lengthBytes !== 0) {
    Object.assign(init, { body: bodyStream(exchange, stalls, onBodyFailed), duplex: "half" });
  }
  try {
    return new Request(url.href, init);
  } catch (cause) {
    throw new HttpError(400, "The request is not one that is understood", { cause });
  }
}

function isHostOf(url: URL, host: string): boolean {
  const lower = host.toLowerCase();
  return url.host === lower || `${url.host}:80` === lower;
}

/** Its pieces are the reader's own. */
function bodyStream(
  { body }: Http1Exchange,
  stalls: StallWatch,
  onFailed: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const limitBytes = Number.POSITIVE_INFINITY;
  const source = receiveStream(body, { limitBytes, stalls, errors: BODY_ERRORS });
  const pieces = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await pieces.next().catch((error: unknown) => {
          onFailed(error);
          throw error;
        });
        body.keep();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await pieces.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

const BODY_ERRORS: ReceiveOptions["errors"] = {
  tooLarge: () => new HttpError(413, "The body is too large"),
  tooSlow: () => new HttpError(408, "The body came too slowly"),
  cut: (cause) => new HttpError(400, "The body ended before its announced end", { cause }),
};

/**
 * Sends what a handler answered. Resolves when the system has taken all of it, or the client is gone. Rejects when the body fails, with the connection
 * ended: that is how the client learns.
 */
export async function sendFetchResponse(exchange: Http1Exchange, answer: Response): Promise<void> {
  const { response, isHead } = exchange;
  const headers = headersOf(answer.headers);
  const lengthText = answer.headers.get("content-length");
  const sizeBytes = lengthText === null ? undefined : Number(lengthText);
  if (isHead || answer.body === null) {
    await answer.body?.cancel();
    const announcedBytes = sizeBytes ?? (isHead ? "unsaid" : 0);
    await response.send(answer.status, headers, EMPTY_BYTES, { announcedBytes });
    return;
  }
  const reader: Reader = answer.body.getReader();
  // Nobody may be waiting for the next piece when the client leaves but the reader.
  response.onClosed(() => {
    reader.cancel().catch(ignore);
  });
  try {
    const first = reader.read();
    const second = sizeBytes === undefined ? await readWhole(first, reader) : undefined;
    if (second?.kind === "whole") {
      await response.send(answer.status, headers, second.bytes);
      return;
    }
    response.begin(answer.status, headers, { sizeBytes });
    // Who follows something waits for the head, however long the first bytes take.
    if (second?.kind === "waiting") await response.flushHead();
    await sendPieces(response, reader, second?.reads ?? [first]);
    await response.end();
  } catch (error) {
    response.destroy();
    throw error;
  } finally {
    await reader.cancel();
  }
}

function ignore(): void {
  // A body that fails when it is given up has nobody to tell.
}

interface Reader {
  read(): Promise<{ readonly done: true } | { readonly done: false; readonly value: Uint8Array }>;
  cancel(): Promise<void>;
}
type Read = ReturnType<Reader["read"]>;

type Beginning =
  | { readonly kind: "whole"; readonly bytes: Uint8Array; readonly reads?: undefined }
  | { readonly kind: "waiting" | "pieces"; readonly reads: readonly Read[] };

/** A body that is there already is sent with its length: it is one piece, and its end is known at once. */
async function readWhole(first: Read, reader: Reader): Promise<Beginning> {
  const began = await atOnce(first);
  if (began === undefined) return { kind: "waiting", reads: [first] };
  if (began.done) return { kind: "whole", bytes: EMPTY_BYTES };
  const second = reader.read();
  const next = await atOnce(second);
  if (next?.done === true) return { kind: "whole", bytes: began.value };
  return { kind: "pieces", reads: [first, second] };
}

/** What a promise gives within this turn of the event loop; `undefined` when it does not. */
function atOnce<T>(promise: Promise<T>): Promise<T | undefined> {
  const turn = new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)));
  return Promise.race([promise, turn]);
}

async function sendPieces(
  response: ResponseWriter,
  reader: Reader,
  begun: readonly Read[],
): Promise<void> {
  const reads = [...begun];
  while (!response.isClosed) {
    const next = await (reads.shift() ?? reader.read());
    if (next.done) return;
    await response.write(next.value);
  }
}

/** Without what is the connection's to say. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "server",
  "transfer-encoding",
]);

function headersOf(headers: Headers): ResponseHeaders {
  const result: Record<string, string | readonly string[]> = {};
  for (const [name, value] of headers) {
    if (name === "set-cookie") result[name] = headers.getSetCookie();
    else if (!OWN_NAMES.has(name)) result[name] = value;
  }
  return result;
}
