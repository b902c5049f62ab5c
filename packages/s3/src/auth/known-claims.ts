import { must } from "@kelp/base";
import type { KeyDirectory } from "@kelp/wire";
import type { Credential } from "./credential.ts";

/** What an `Authorization` header says before its signature, parsed. It holds no secret, and proves nothing by itself. */
export interface ClaimHead {
  readonly credential: Credential;
  /** Lower-case, strictly ascending, `host` among them. */
  readonly signedHeaders: readonly string[];
  /** The same as they stand in the header: `host;x-amz-date`. */
  readonly signedHeadersText: string;
}

/** Heads kept per directory: one per key in use, day, region and set of signed headers. */
const HEADS_MAX = 1024;
/** Longer heads are parsed each time: those of SDKs take a quarter of this. */
const HEAD_LENGTH_MAX = 1024;

/**
 * Heads of headers whose signature was proven, so that a client which comes again has its own parsed no more. Only the
 * parsing is saved: times, key, headers and signature are looked at each time. Strangers prove nothing and push nothing
 * out; oldest out first when full.
 */
export class KnownClaims {
  readonly #heads = new Map<string, ClaimHead>();
  /** The one met last: comparing it costs less than looking it up, which takes a hash of the text. */
  #lastText = "";
  #last: ClaimHead | undefined;

  /** What `keep` was given for the text before `value`'s last `signatureLength` characters. */
  find(value: string, signatureLength: number): ClaimHead | undefined {
    const length = value.length - signatureLength;
    if (this.#last !== undefined && this.#lastText.length === length) {
      if (value.startsWith(this.#lastText)) return this.#last;
    }
    if (length <= 0 || length > HEAD_LENGTH_MAX) return undefined;
    const text = value.slice(0, length);
    const head = this.#heads.get(text);
    if (head !== undefined) {
      this.#lastText = text;
      this.#last = head;
    }
    return head;
  }

  keep(text: string, head: ClaimHead): void {
    if (text.length > HEAD_LENGTH_MAX || this.#heads.has(text)) return;
    if (this.#heads.size >= HEADS_MAX) {
      this.#heads.delete(must(this.#heads.keys().next().value, "a full cache has a first head"));
    }
    this.#heads.set(text, head);
  }
}

const claimsByDirectory = new WeakMap<KeyDirectory, KnownClaims>();

export function knownClaimsOf(directory: KeyDirectory): KnownClaims {
  const existing = claimsByDirectory.get(directory);
  if (existing !== undefined) return existing;
  const created = new KnownClaims();
  claimsByDirectory.set(directory, created);
  return created;
}
