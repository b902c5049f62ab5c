import {
  type Clock,
  type Hashes,
  type Log,
  type PeerUsers,
  type Random,
  type SqlDatabase,
  isLoopbackAddress,
} from "@kelp/base";
import type {
  AccessKeyId,
  Admission,
  GateRequest,
  KeyDirectory,
  PeopleGate,
  Principal,
  SignedIn,
} from "@kelp/wire";
import { OwnSite } from "./own-site.ts";
import { SESSION_LIFE_SEC_MAX, SessionStore } from "./session-store.ts";
import { SignInLimit } from "./sign-in-limit.ts";

export interface PeopleGateOptions {
  /** Borrowed: the caller closes it. Tables are named `gate_…`. */
  readonly database: SqlDatabase;
  /** Who may sign in. */
  readonly keys: KeyDirectory;
  /** The console token: whoever presents it is root. Without one no bearer token is accepted. */
  readonly token: string | undefined;
  readonly localUser: LocalUserTrust;
  /** How people reach the door besides loopback: `name` or `name:port`, as browsers write it in `Host`. */
  readonly advertisedHosts: readonly string[];
  /** `https` marks the cookie so that browsers never send it in the clear. */
  readonly scheme: "http" | "https";
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  readonly log: Log;
}

export type LocalUserTrust =
  | { readonly kind: "off" }
  | {
      /** Whoever connects over loopback as the user that runs this program is root: they could read its files anyway. */
      readonly kind: "same-user";
      /** What the door is bound to; trust is only given on a loopback address. */
      readonly boundAddress: string;
      /** `process.geteuid()` */
      readonly userId: number;
      readonly peers: PeerUsers;
    };

/**
 * Opens the gate of the people's doors; see `PeopleGate` for the order in which credentials are looked at.
 * A cookie of a session that is unknown or over is refused with 401 and not passed over, so that nobody acts as
 * somebody else than they think; `signOut` clears it in the browser. A request that another site started, or that came
 * under a foreign host name, is refused with 403 unless it carries a token; callers must not sign it in either.
 */
export function openPeopleGate(options: PeopleGateOptions): PeopleGate {
  return new Gate(options);
}

const COOKIE = "kelp_session";
/** Longer than any honest token. */
const AUTHORIZATION_LENGTH_MAX = 4096;
const ROOT: Principal = { kind: "root", name: "root" };
const LOCAL_ROOT: Admission = { kind: "admitted", principal: ROOT, via: "local-user" };

class Gate implements PeopleGate {
  readonly #options: PeopleGateOptions;
  readonly #site: OwnSite;
  readonly #sessions: SessionStore;
  readonly #limit: SignInLimit;
  readonly #trust: Extract<LocalUserTrust, { kind: "same-user" }> | undefined;
  /** Digest of the token: equal lengths for the comparison, whatever is presented. */
  readonly #tokenDigest: Uint8Array | undefined;
  /** Who is at the other end of a connection cannot change while the connection lives. */
  readonly #userOfConnection = new WeakMap<object, number>();

  constructor(options: PeopleGateOptions) {
    const { token, localUser, hashes, log } = options;
    this.#options = options;
    this.#site = new OwnSite(options.advertisedHosts);
    this.#sessions = new SessionStore(options);
    this.#limit = new SignInLimit(options.clock);
    this.#tokenDigest =
      token === undefined || token === "" ? undefined : hashes.digest("sha256", token);
    const isTrusting = localUser.kind === "same-user";
    this.#trust = isTrusting && isLoopbackAddress(localUser.boundAddress) ? localUser : undefined;
    if (isTrusting && this.#trust === undefined) {
      log.warn("the local user is not trusted: the door is not bound to a loopback address", {
        address: localUser.boundAddress,
      });
    }
  }

  async admit(request: GateRequest): Promise<Admission> {
    const { authorization } = request.headers;
    if (authorization !== undefined) return this.#admitToken(authorization);
    // Also with nothing to admit by: no other site shall sign somebody in here.
    const foreignness = this.#site.foreignness(request);
    if (foreignness !== undefined) return refused(403, foreignness);
    const cookie = sessionCookie(request);
    if (cookie.kind !== "none") return this.#admitSession(cookie);
    return (await this.#isLocalUser(request)) ? LOCAL_ROOT : refused(401, "Sign in first");
  }

  async signIn(pair: {
    readonly accessKey: string;
    readonly secretKey: string;
    readonly remoteAddress: string;
  }): Promise<SignedIn | undefined> {
    const { keys, hashes, log } = this.#options;
    const id = pair.accessKey as AccessKeyId;
    if (keys.findKey(id) === undefined) return undefined;
    const told = { access_key: id, address: pair.remoteAddress };
    const turn = this.#limit.turn(id, pair.remoteAddress);
    if (turn === "too-many") {
      log.warn("sign-in refused: too many wrong secrets", told);
      return undefined;
    }
    if (turn !== undefined) await turn;
    // It may have been taken away while its turn was waited for.
    const key = keys.findKey(id);
    if (key === undefined) return undefined;
    const presented = hashes.digest("sha256", pair.secretKey);
    const expected = hashes.digest("sha256", key.secret);
    if (!hashes.equalInConstantTime(presented, expected)) {
      this.#limit.failed(key.id, pair.remoteAddress);
      log.warn("sign-in refused: wrong secret", told);
      return undefined;
    }
    const session = this.#sessions.open(key);
    return { principal: key.principal, cookie: this.#cookie(session, SESSION_LIFE_SEC_MAX) };
  }

  signOut(request: GateRequest): { readonly cookie: string } {
    const cookie = sessionCookie(request);
    if (cookie.kind === "one") this.#sessions.close(cookie.id);
    return { cookie: this.#cookie("", 0) };
  }

  #admitToken(authorization: string | string[]): Admission {
    const token =
      typeof authorization === "string" && authorization.length <= AUTHORIZATION_LENGTH_MAX
        ? /^bearer +(\S+) *$/i.exec(authorization)?.[1]
        : undefined;
    const { hashes } = this.#options;
    if (token === undefined || this.#tokenDigest === undefined) {
      return refused(401, "The credentials are not of a kind that is accepted here");
    }
    const digest = hashes.digest("sha256", token);
    return hashes.equalInConstantTime(digest, this.#tokenDigest)
      ? { kind: "admitted", principal: ROOT, via: "token" }
      : refused(401, "The token is wrong");
  }

  #admitSession(cookie: Exclude<SessionCookie, { kind: "none" }>): Admission {
    const principal = cookie.kind === "one" ? this.#sessions.use(cookie.id) : undefined;
    return principal === undefined
      ? refused(401, "The session is unknown or over: sign in again")
      : { kind: "admitted", principal, via: "session" };
  }

  async #isLocalUser(request: GateRequest): Promise<boolean> {
    const trust = this.#trust;
    if (trust === undefined) return false;
    if (!isLoopbackAddress(request.remoteAddress)) return false;
    if (!isLoopbackAddress(request.localAddress)) return false;
    if (isPassedOn(request)) return false;
    const { connection } = request;
    const known = connection === undefined ? undefined : this.#userOfConnection.get(connection);
    const user = known ?? (await trust.peers.userOf(request));
    if (user === undefined) return false;
    if (connection !== undefined) this.#userOfConnection.set(connection, user);
    return user === trust.userId;
  }

  #cookie(id: string, maxAgeSec: number): string {
    const secure = this.#options.scheme === "https" ? "; Secure" : "";
    return `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSec}${secure}`;
  }
}

/**
 * What proxies add to what they pass on. The peer is the proxy then, and who is behind it nobody knows; the headers only
 * ever take trust away.
 */
const FORWARDING_HEADERS: ReadonlySet<string> = new Set([
  "cf-connecting-ip",
  "client-ip",
  "forwarded",
  "true-client-ip",
  "via",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-original-forwarded-for",
  "x-real-ip",
]);
const FORWARDING_PREFIX = "x-forwarded-";

function isPassedOn({ headers }: GateRequest): boolean {
  for (const name in headers) {
    if (FORWARDING_HEADERS.has(name) || name.startsWith(FORWARDING_PREFIX)) return true;
  }
  return false;
}

type SessionCookie =
  | { readonly kind: "none" }
  | { readonly kind: "one"; readonly id: string }
  /** Empty, or several that differ: presented, and certainly not ours. */
  | { readonly kind: "broken" };

function sessionCookie(request: GateRequest): SessionCookie {
  const { cookie } = request.headers;
  if (cookie === undefined) return { kind: "none" };
  const ids = new Set<string>();
  for (const piece of (typeof cookie === "string" ? cookie : cookie.join(";")).split(";")) {
    const [name, ...rest] = piece.trim().split("=");
    if (name === COOKIE) ids.add(rest.join("="));
  }
  const [id] = ids;
  if (id === undefined) return { kind: "none" };
  return ids.size === 1 && id !== "" ? { kind: "one", id } : { kind: "broken" };
}

function refused(status: 401 | 403, message: string): Admission {
  return { kind: "refused", status, message };
}
