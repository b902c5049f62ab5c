/** For tests of doors: a gate that believes what a header says, and an authorizer with a list. */
export { CALLER_HEADER, believingGate, listAuthorizer } from "./believing-gate.ts";
