import type { Principal } from "./iam.ts";
import type { GateRequest } from "./people-gate.ts";

/**
 * Who may use the machines' doors: the HTTP interfaces of master, volume server and filer. Credentials are looked for in
 * this order: `Authorization` (an access key as Basic, a signed token or the console token as Bearer), a signed token in
 * the query, one in the cookie `AT`; with none presented, whatever the people's gate lets in without.
 *
 * Implementations must:
 * - refuse credentials that are presented and wrong, also where the caller would be let in without;
 * - refuse what another site's page makes a browser do with credentials that the browser adds by itself;
 * - give a principal only for credentials that are valid now.
 */
export interface DoorGate {
  /** Answers at once where nobody has to be asked: a credential that was proven before costs no turn of the loop. */
  admit(request: GateRequest, question: DoorQuestion): DoorAdmission | Promise<DoorAdmission>;
}

export interface DoorQuestion {
  /** What the request does if it is let in, whatever its method says. */
  readonly effect: "reads" | "changes";
  /** Kind of signed token that this door takes; tokens of another kind are wrong. */
  readonly tokens: "none" | "needle" | "path";
  /** A token from the query of the request. */
  readonly queryToken?: string | undefined;
}

export type DoorAdmission =
  | { readonly kind: "admitted"; readonly principal: Principal }
  /** No principal: the bearer may do what the token says, and nothing else. */
  | { readonly kind: "granted"; readonly grant: DoorGrant }
  | {
      readonly kind: "refused";
      /** 401: present credentials. 403: not from there (foreign origin or host). */
      readonly status: 401 | 403;
      readonly message: string;
    };

export type DoorGrant =
  | {
      readonly kind: "needle";
      /** The text of a file id, as it was signed. */
      readonly fid: string;
      /** Ids `_0` … `_N-1` behind it; `undefined` where the signer did not say. */
      readonly count: number | undefined;
    }
  | {
      readonly kind: "path";
      /** Empty for every path. */
      readonly prefixes: readonly string[];
      /** Upper case; empty for every method. */
      readonly methods: readonly string[];
    };

/** Signs tokens for single needles, so that whoever was assigned one can write or read it without a key. */
export interface NeedleTokens {
  /** A JWT that is valid for a short time. */
  signNeedle(token: {
    readonly fid: string;
    readonly count: number;
    readonly access: "read" | "write";
  }): string;
}
