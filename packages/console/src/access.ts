import type { AccessRequest, Admission, Authorizer, GateRequest, Principal } from "@kelp/wire";
import type { Context } from "hono";
import { ConsoleError } from "./errors.ts";

export type Admitted = Extract<Admission, { kind: "admitted" }>;

/** What travels with every request through the routes. */
export interface ConsoleEnvironment {
  readonly Bindings: { readonly admission: Admission; readonly gateRequest: GateRequest };
}

export type ConsoleContext = Context<ConsoleEnvironment>;

/** Who is asking; throws `sign-in-required` or `foreign-origin` when the gate let nobody in. */
export function admitted(context: ConsoleContext): Admitted {
  const { admission } = context.env;
  if (admission.kind === "admitted") return admission;
  throw new ConsoleError(
    admission.status === 401 ? "sign-in-required" : "foreign-origin",
    admission.message,
  );
}

type WantedAccess = Omit<AccessRequest, "principal">;

/** Throws `access-denied` unless a policy allows the caller to do `action` on `resource`. */
export function requireAccess(
  authorizer: Authorizer,
  context: ConsoleContext,
  wanted: WantedAccess,
): Principal {
  const { principal } = admitted(context);
  if (mayAccess(authorizer, principal, wanted)) return principal;
  const below = wanted.reach === "below" ? " and all below it" : "";
  throw new ConsoleError(
    "access-denied",
    `${principal.name} may not do ${wanted.action} on ${wanted.resource}${below}`,
  );
}

export function mayAccess(
  authorizer: Authorizer,
  principal: Principal,
  wanted: WantedAccess,
): boolean {
  return authorizer.authorize({ principal, ...wanted }).kind === "allow";
}
