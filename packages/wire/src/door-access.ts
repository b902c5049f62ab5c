import { unreachable } from "@kelp/base";
import { HttpError } from "@kelp/base/http";
import type { DoorAdmission, DoorGate, DoorGrant, DoorQuestion } from "./ports/door-gate.ts";
import type { Authorizer, Principal } from "./ports/iam.ts";
import type { GateRequest } from "./ports/people-gate.ts";

/** Who is behind a request that a machines' door let in: somebody, or the bearer of a grant. */
export type DoorCaller =
  | { readonly kind: "principal"; readonly principal: Principal }
  | { readonly kind: "bearer"; readonly grant: DoorGrant };

/** Throws `HttpError` 401 or 403 for whoever is not let in; answers at once where the gate does. */
export function admitCaller(
  gate: DoorGate,
  request: GateRequest,
  question: DoorQuestion,
): DoorCaller | Promise<DoorCaller> {
  const admission = gate.admit(request, question);
  return admission instanceof Promise ? admission.then(callerOf) : callerOf(admission);
}

function callerOf(admission: DoorAdmission): DoorCaller {
  switch (admission.kind) {
    case "admitted":
      return { kind: "principal", principal: admission.principal };
    case "granted":
      return { kind: "bearer", grant: admission.grant };
    case "refused":
      throw new HttpError(
        admission.status,
        admission.message,
        admission.status === 401 ? { headers: { "WWW-Authenticate": CHALLENGE } } : {},
      );
    default:
      return unreachable(admission);
  }
}

const CHALLENGE = 'Basic realm="Kelp", charset="UTF-8"';

/** Throws `HttpError` 403 unless the policy engine allows it. A grant is no principal: its door weighs it first. */
export function requireAccess(
  authorizer: Authorizer,
  caller: DoorCaller,
  access: { readonly action: string; readonly resource: string },
): void {
  if (!mayAccess(authorizer, caller, access)) throw new HttpError(403, "Access denied");
}

export function mayAccess(
  authorizer: Authorizer,
  caller: DoorCaller,
  access: { readonly action: string; readonly resource: string },
): boolean {
  if (caller.kind !== "principal") return false;
  const { principal } = caller;
  const { action, resource } = access;
  return authorizer.authorize({ principal, action, resource }).kind === "allow";
}
