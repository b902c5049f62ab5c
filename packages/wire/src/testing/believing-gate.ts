import type { DoorAdmission, DoorGate, DoorGrant, DoorQuestion } from "../ports/door-gate.ts";
import type { Authorizer } from "../ports/iam.ts";

/** Holds `root`, a name, or the JSON of a grant. Without it nobody is let in. */
export const CALLER_HEADER = "x-test-caller";

/** Lets in whoever a request says it comes from, and keeps what it was asked. */
export function believingGate(): DoorGate & { readonly questions: DoorQuestion[] } {
  const questions: DoorQuestion[] = [];
  return {
    questions,
    admit: (request, question) => {
      questions.push(question);
      const caller = request.headers[CALLER_HEADER];
      return Promise.resolve(admissionOf(typeof caller === "string" ? caller : undefined));
    },
  };
}

function admissionOf(caller: string | undefined): DoorAdmission {
  if (caller === undefined) return { kind: "refused", status: 401, message: "Sign in first" };
  if (caller === "root") return { kind: "admitted", principal: { kind: "root", name: "root" } };
  if (!caller.startsWith("{")) {
    return { kind: "admitted", principal: { kind: "identity", name: caller } };
  }
  return { kind: "granted", grant: JSON.parse(caller) as DoorGrant };
}

/** Root may do everything, the others what the list says: `name action resource`. */
export function listAuthorizer(...allowed: readonly string[]): Authorizer {
  return {
    authorize: ({ principal, action, resource }) =>
      principal.kind === "root" || allowed.includes(`${principal.name} ${action} ${resource}`)
        ? { kind: "allow" }
        : { kind: "deny", reason: "implicit" },
  };
}
