import { type Clock, type Hashes, type Log, must } from "@kelp/base";
import type {
  AccessKeyId,
  DoorAdmission,
  DoorGate,
  DoorGrant,
  DoorQuestion,
  GateRequest,
  KeyDirectory,
  KeyRecord,
  NeedleTokens,
  PeopleGate,
} from "@kelp/wire";
import { foreignPage } from "./own-site.ts";
import { SignInLimit } from "./sign-in-limit.ts";
import { type Claims, signToken, verifyToken } from "./signed-token.ts";

export interface DoorGateOptions {
  /** Knows the console token, sessions and the local user. */
  readonly people: PeopleGate;
  readonly keys: KeyDirectory;
  readonly signingKeys: SigningKeys;
  readonly clock: Clock;
  readonly hashes: Hashes;
  readonly log: Log;
}

/** What signed tokens are signed with. None is empty; each opens one kind of thing, so that no token serves as another. */
export interface SigningKeys {
  readonly needleWrite: string;
  readonly needleRead: string;
  readonly pathWrite: string;
  readonly pathRead: string;
}

export interface OpenDoorGate extends DoorGate, NeedleTokens {}

/** Opens the gate of the machines' doors; see `DoorGate` for the order in which credentials are looked at. */
export function openDoorGate(options: DoorGateOptions): OpenDoorGate {
  return new Gate(options);
}

/** How long a token for one needle is valid. */
const WRITE_TOKEN_LIFE_MS = 10_000;
const READ_TOKEN_LIFE_MS = 60_000;
/** Headers that were found right are remembered, so that a client which repeats its own costs no hash; the oldest makes room. */
const REMEMBERED_MAX = 1024;
/** Longer than any honest header. */
const AUTHORIZATION_LENGTH_MAX = 4096;
const COOKIE = "AT";

const WRONG: DoorAdmission = { kind: "refused", status: 401, message: "The credentials are wrong" };
const FOREIGN: DoorAdmission = {
  kind: "refused",
  status: 403,
  message: "The request comes from a page of another site",
};

class Gate implements OpenDoorGate {
  readonly #options: DoorGateOptions;
  readonly #limit: SignInLimit;
  /** Whole `Authorization` headers, and the key that they proved. */
  readonly #proven = new Remembered<ProvenKey>();
  /** Kind, access and text of tokens, and what they grant. */
  readonly #granted = new Remembered<{ readonly grant: DoorGrant; readonly expiresMs: number }>();

  constructor(options: DoorGateOptions) {
    this.#options = options;
    this.#limit = new SignInLimit(options.clock);
  }

  admit(request: GateRequest, question: DoorQuestion): DoorAdmission | Promise<DoorAdmission> {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      // No second credential is looked at where the first is wrong.
      return this.#admitHeader(authorization, request, question);
    }
    const { queryToken } = question;
    if (queryToken !== undefined) return this.#admitSigned(queryToken, question);
    const cookies = question.tokens === "none" ? [] : cookieValues(request);
    if (cookies.length > 0) {
      if (isForeign(request, question)) return FOREIGN;
      return cookies.length === 1 ? this.#admitSigned(must(cookies[0], "one"), question) : WRONG;
    }
    return this.#admitPerson(request, question);
  }

  signNeedle(token: {
    readonly fid: string;
    readonly count: number;
    readonly access: "read" | "write";
  }): string {
    const { signingKeys, clock, hashes } = this.#options;
    const isWrite = token.access === "write";
    return signToken(
      { fid: token.fid, count: token.count },
      isWrite ? signingKeys.needleWrite : signingKeys.needleRead,
      { expiresMs: clock.nowMs() + (isWrite ? WRITE_TOKEN_LIFE_MS : READ_TOKEN_LIFE_MS), hashes },
    );
  }

  #admitHeader(
    authorization: string | string[],
    request: GateRequest,
    question: DoorQuestion,
  ): DoorAdmission | Promise<DoorAdmission> {
    if (typeof authorization !== "string" || authorization.length > AUTHORIZATION_LENGTH_MAX) {
      return WRONG;
    }
    const proven = this.#provenBefore(authorization);
    // A browser that was given a pair sends it along with what any page starts.
    if (proven !== undefined) return isForeign(request, question) ? FOREIGN : proven;
    const [, basic, bearer] = /^(?:basic +(\S+)|bearer +(\S+)) *$/i.exec(authorization) ?? [];
    if (basic !== undefined) {
      if (isForeign(request, question)) return FOREIGN;
      return this.#admitPair(authorization, basic, request.remoteAddress);
    }
    if (bearer === undefined) return WRONG;
    if (bearer.includes(".")) return this.#admitSigned(bearer, question);
    return this.#askPeople(request);
  }

  /** A header that was found right, while its key is still the one that it proved. */
  #provenBefore(authorization: string): DoorAdmission | undefined {
    const proven = this.#proven.get(authorization);
    if (proven === undefined) return undefined;
    const { key, admission } = proven;
    const current = this.#options.keys.findKey(key.id);
    if (current === key) return admission;
    if (current !== undefined && isSameKey(current, key)) {
      return { kind: "admitted", principal: current.principal };
    }
    this.#proven.forget(authorization);
    return undefined;
  }

  #admitPair(
    authorization: string,
    encoded: string,
    address: string,
  ): DoorAdmission | Promise<DoorAdmission> {
    const pair = pairOf(encoded);
    if (pair === undefined || this.#options.keys.findKey(pair.id) === undefined) return WRONG;
    const turn = this.#limit.turn(pair.id, address);
    if (turn === undefined) return this.#admitAtTurn(authorization, pair, address);
    if (turn === "too-many") {
      this.#options.log.warn("access key refused: too many wrong secrets", {
        access_key: pair.id,
        address,
      });
      return WRONG;
    }
    return turn.then(() => this.#admitAtTurn(authorization, pair, address));
  }

  #admitAtTurn(authorization: string, pair: PresentedPair, address: string): DoorAdmission {
    const key = this.#provenKey(pair, address);
    if (key === undefined) return WRONG;
    const admission = { kind: "admitted", principal: key.principal } as const;
    this.#proven.put(authorization, { key, admission });
    return admission;
  }

  #provenKey({ id, secret }: PresentedPair, address: string): KeyRecord | undefined {
    const { keys, hashes, log } = this.#options;
    const key = keys.findKey(id);
    if (key === undefined) return undefined;
    const presented = hashes.digest("sha256", secret);
    if (hashes.equalInConstantTime(presented, hashes.digest("sha256", key.secret))) {
      return key;
    }
    this.#limit.failed(id, address);
    log.warn("access key refused: wrong secret", { access_key: id, address });
    return undefined;
  }

  #admitSigned(token: string, question: DoorQuestion): DoorAdmission {
    if (question.tokens === "none") return WRONG;
    const { clock, hashes } = this.#options;
    const nowMs = clock.nowMs();
    const name = `${question.tokens} ${question.effect} ${token}`;
    const known = this.#granted.get(name);
    if (known !== undefined && nowMs < known.expiresMs) {
      return { kind: "granted", grant: known.grant };
    }
    const verified = verifyToken(token, this.#signingKey(question), { nowMs, hashes });
    if (verified === undefined) return WRONG;
    const grant =
      question.tokens === "needle" ? needleGrant(verified.claims) : pathGrant(verified.claims);
    if (grant === undefined) return WRONG;
    this.#granted.put(name, { grant, expiresMs: verified.expiresMs });
    return { kind: "granted", grant };
  }

  #signingKey(question: DoorQuestion): string {
    const { signingKeys } = this.#options;
    if (question.tokens === "needle") {
      return question.effect === "reads" ? signingKeys.needleRead : signingKeys.needleWrite;
    }
    return question.effect === "reads" ? signingKeys.pathRead : signingKeys.pathWrite;
  }

  #admitPerson(
    request: GateRequest,
    question: DoorQuestion,
  ): DoorAdmission | Promise<DoorAdmission> {
    const isHidden = question.effect === "changes" && isSafe(request.method);
    if (isHidden && isStartedElsewhere(request)) return FOREIGN;
    return this.#askPeople(isHidden ? asChange(request) : request);
  }

  async #askPeople(request: GateRequest): Promise<DoorAdmission> {
    const admission = await this.#options.people.admit(request);
    return admission.kind === "admitted"
      ? { kind: "admitted", principal: admission.principal }
      : admission;
  }
}

interface PresentedPair {
  readonly id: AccessKeyId;
  readonly secret: string;
}

/** What a Basic header says; `undefined` when it says nothing. */
function pairOf(encoded: string): PresentedPair | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1) return undefined;
  return { id: text.slice(0, colon) as AccessKeyId, secret: text.slice(colon + 1) };
}

/** The key that a header proved, and what follows while it is that very key. */
interface ProvenKey {
  readonly key: KeyRecord;
  readonly admission: DoorAdmission;
}

/** A bounded memory of what was found right. */
class Remembered<Value> {
  readonly #values = new Map<string, Value>();

  get(name: string): Value | undefined {
    return this.#values.get(name);
  }

  put(name: string, value: Value): void {
    if (this.#values.size >= REMEMBERED_MAX) {
      for (const oldest of this.#values.keys()) {
        this.#values.delete(oldest);
        break;
      }
    }
    this.#values.set(name, value);
  }

  forget(name: string): void {
    this.#values.delete(name);
  }
}

function isSameKey(left: KeyRecord, right: KeyRecord): boolean {
  return left.id === right.id && left.secret === right.secret;
}

/** A needle, and how many ids behind it. Throws nothing: what is odd grants nothing. */
function needleGrant(claims: Claims): DoorGrant | undefined {
  const { fid, count } = claims;
  if (typeof fid !== "string" || fid === "") return undefined;
  if (count === undefined) return { kind: "needle", fid, count: undefined };
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 1) return undefined;
  return { kind: "needle", fid, count };
}

function pathGrant(claims: Claims): DoorGrant | undefined {
  const prefixes = texts(claims["allowed_prefixes"]);
  const methods = texts(claims["allowed_methods"]);
  // A token for a needle says nothing of paths, and shall not open all of them.
  if (prefixes === undefined || methods === undefined || "fid" in claims) return undefined;
  return { kind: "path", prefixes, methods: methods.map((method) => method.toUpperCase()) };
}

/** `undefined` for what is no list of texts; an absent one is empty. */
function texts(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const list: string[] = [];
  for (const item of value) {
    if (typeof item !== "string" || item === "") return undefined;
    list.push(item);
  }
  return list;
}

function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/** Whether a page of another site started it. */
function isForeign(request: GateRequest, question: DoorQuestion): boolean {
  if (question.effect === "changes" && isSafe(request.method)) {
    return isStartedElsewhere(request) || foreignPage(asChange(request)) !== undefined;
  }
  return foreignPage(request) !== undefined;
}

/**
 * A GET that changes something may be a link on a page elsewhere, which older browsers do not mark. All browsers call
 * themselves Mozilla; the newer ones say where a request began.
 */
function isStartedElsewhere(request: GateRequest): boolean {
  const agent = request.headers["user-agent"];
  if (typeof agent !== "string" || !agent.startsWith("Mozilla/")) return false;
  const site = request.headers["sec-fetch-site"];
  return site !== "same-origin" && site !== "none";
}

/** The same request as one that is not forgiven for being a mere visit. */
function asChange(request: GateRequest): GateRequest {
  const { headers, remoteAddress, remotePort, localAddress, localPort, connection } = request;
  return {
    method: "POST",
    headers,
    remoteAddress,
    remotePort,
    localAddress,
    localPort,
    ...(connection !== undefined && { connection }),
  };
}

function cookieValues(request: GateRequest): string[] {
  const { cookie } = request.headers;
  if (cookie === undefined) return [];
  const values = new Set<string>();
  for (const piece of (typeof cookie === "string" ? cookie : cookie.join(";")).split(";")) {
    const [name, ...rest] = piece.trim().split("=");
    if (name === COOKIE) values.add(rest.join("="));
  }
  return [...values];
}
