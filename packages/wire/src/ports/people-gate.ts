import type { Principal } from "./iam.ts";

/**
 * Who may use the people's doors (console, `/api/v1`, pipelines API). Credentials are looked for in this order:
 * `Authorization: Bearer`, session cookie, and, with none presented, the operating-system user of the loopback peer.
 *
 * Implementations must:
 * - refuse credentials that are presented and wrong, also where the local user would be let in;
 * - refuse a `Host` or `Origin` that is not this door's own while the local-user trust is on;
 * - take the peer from the connection, never from a header.
 */
export interface PeopleGate {
  admit(request: GateRequest): Promise<Admission>;
  /**
   * Checks an access key pair and opens a session. `cookie` is a whole `Set-Cookie` value. Where many wrong secrets came from
   * `remoteAddress`, the peer's, the answer waits for its turn.
   */
  signIn(pair: {
    readonly accessKey: string;
    readonly secretKey: string;
    readonly remoteAddress: string;
  }): Promise<SignedIn | undefined>;
  /** Ends the session of the request, if any. `cookie` clears it in the browser. */
  signOut(request: GateRequest): { readonly cookie: string };
}

export interface GateRequest {
  readonly method: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /**
   * Stands for the connection: the same object for all its requests and for no other connection, such as its socket.
   * What was found about the peer is kept with it; without it the gate looks again for every request.
   */
  readonly connection?: object;
}

export type Admission =
  | {
      readonly kind: "admitted";
      readonly principal: Principal;
      readonly via: "local-user" | "token" | "session";
    }
  | {
      readonly kind: "refused";
      /** 401: sign in and try again. 403: not from there (foreign origin or host). */
      readonly status: 401 | 403;
      readonly message: string;
    };

export interface SignedIn {
  readonly principal: Principal;
  readonly cookie: string;
}

/** A door behind the gate: it gets what the gate found and decides what an unadmitted caller may see (a sign-in page). */
export type PeopleHandler = (
  request: Request,
  admission: Admission,
  gateRequest: GateRequest,
) => Promise<Response>;
