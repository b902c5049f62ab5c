import {
  HttpError,
  type HttpRequest,
  type ReplyHeaders,
  decodeHeaderText,
  encodeHeaderText,
  headerText,
  isHeaderSafe,
} from "@kelp/base/http";

/**
 * Pairs of a needle: headers that go out with it. What comes as `Seaweed-Owner` is stored and answered as `Owner`, as
 * SeaweedFS does. A name that means something to who reads the answer keeps the prefix: whoever may write a needle shall not set
 * cookies or lift what protects a browser.
 */

const PREFIX = "seaweed-";

/** Headers that browsers, proxies or this door give a meaning. Those of a family are told by how they begin. */
const MEANINGFUL =
  /^(accept-|access-control-|age$|allow$|alt-svc$|authorization$|cache-control$|cdn-|clear-site-data$|client-|connection$|content-|cookie|critical-ch$|cross-origin-|date$|delta-base$|dnt$|dpr$|etag$|expect|expires$|feature-policy$|forwarded$|host$|http2-settings$|im$|keep-alive$|large-allocation$|last-modified$|link$|location$|nel$|no-vary-search$|observe-browsing-topics$|origin|p3p$|permissions-policy|pragma$|proxy-|public-key-pins|referrer-policy$|refresh$|report|retry-after$|sec-|server|service-worker|set-|sourcemap$|speculation-rules$|status$|strict-transport-security$|supports-loading-mode$|surrogate-|te$|timing-allow-origin$|tk$|trailer$|transfer-|upgrade|vary$|via$|warning$|www-authenticate$|x-)/;

/** The pairs that the headers of a write say; `undefined` when none. Throws `HttpError` 400. */
export function pairsOf(request: HttpRequest): Readonly<Record<string, string>> | undefined {
  let pairs: Record<string, string> | undefined;
  for (const header in request.headers) {
    if (!header.startsWith(PREFIX)) continue;
    const name = header.slice(PREFIX.length);
    const value = decodeHeaderText(headerText(request.headers, header) ?? "");
    if (!isName(name) || !isHeaderSafe(value)) {
      throw new HttpError(400, `The header ${header} cannot be kept`);
    }
    pairs ??= {};
    pairs[canonicalName(name)] = value;
  }
  return pairs;
}

/** Adds the pairs of a needle. What a header cannot carry is left out: the volume may come from elsewhere. */
export function addPairs(headers: ReplyHeaders, pairs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(pairs)) {
    if (!isName(name) || !isHeaderSafe(value)) continue;
    const isPlain = !MEANINGFUL.test(name.toLowerCase());
    headers[isPlain ? name : `Seaweed-${name}`] = encodeHeaderText(value);
  }
}

function isName(text: string): boolean {
  return /^[\w-]+$/.test(text);
}

/** Names of headers arrive in lower case and are kept as most programs write them. */
function canonicalName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
