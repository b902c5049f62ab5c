import type { GateRequest } from "@kelp/wire";

const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"] as const;

/**
 * Tells whether a request was meant for this door by a page of this door, or by no page at all. Browsers send what
 * they hold for a host along with requests that other sites start, and a name can be made to point here (DNS
 * rebinding); `Host`, `Origin` and `Sec-Fetch-Site` are what they do not let a page choose.
 */
export class OwnSite {
  readonly #advertised: ReadonlySet<string>;

  /** `authorities`: how people reach the door, as `name` or `name:port`, besides loopback with the door's own port. */
  constructor(authorities: readonly string[]) {
    this.#advertised = new Set(authorities.map((authority) => authority.toLowerCase()));
  }

  /** `undefined` when the request is this site's own, else the sentence that says what is foreign. */
  foreignness(request: GateRequest): string | undefined {
    const { headers } = request;
    const host = single(headers["host"])?.toLowerCase();
    if (host === undefined || !this.#isOwnAuthority(host, request.localPort)) {
      return "The request names a host that is not this door's";
    }
    return foreignPage(request);
  }

  #isOwnAuthority(host: string, localPort: number): boolean {
    if (this.#advertised.has(host)) return true;
    const suffix = `:${localPort}`;
    if (host.endsWith(suffix)) {
      const name = host.slice(0, -suffix.length);
      return LOOPBACK_NAMES.some((own) => own === name) || this.#advertised.has(name);
    }
    // Browsers leave the port of the scheme away.
    return localPort === 80 && LOOPBACK_NAMES.some((own) => own === host);
  }
}

/**
 * The half of it that is about pages: for credentials that a browser adds to every request for a host, under whatever
 * name that host is known.
 */
export function foreignPage(request: GateRequest): string | undefined {
  const { headers } = request;
  const host = single(headers["host"])?.toLowerCase() ?? "";
  const origin = headers["origin"];
  if (origin !== undefined && !isOriginOf(single(origin), host)) {
    return "The request comes from a page of another site";
  }
  const site = single(headers["sec-fetch-site"]);
  if ((site === "cross-site" || site === "same-site") && !isVisit(request)) {
    return "The request comes from a page of another site";
  }
  return undefined;
}

/** `null`, which sandboxed pages send, is foreign like anything that is not exactly the host of the request. */
function isOriginOf(origin: string | undefined, host: string): boolean {
  const lower = origin?.toLowerCase();
  return lower === `http://${host}` || lower === `https://${host}`;
}

/** Following a link from elsewhere to a page here: it shows, and changes nothing. */
function isVisit(request: GateRequest): boolean {
  return (
    (request.method === "GET" || request.method === "HEAD") &&
    single(request.headers["sec-fetch-mode"]) === "navigate" &&
    single(request.headers["sec-fetch-dest"]) === "document"
  );
}

/** A header that came more than once is as good as a foreign one. */
function single(value: string | string[] | undefined): string | undefined {
  if (typeof value === "string") return value;
  return value?.length === 1 ? value[0] : undefined;
}
