/** For tests of doors: a gate that believes what a header says, who asks through it, and an authorizer with a list. */
export { CALLER_HEADER, believingGate, listAuthorizer } from "./believing-gate.ts";
export { DoorClient } from "./door-client.ts";
