/** Who may use the people's doors. */
export { type LocalUserTrust, type PeopleGateOptions, openPeopleGate } from "./people-gate.ts";
