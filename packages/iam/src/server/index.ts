/** Who may use the people's doors, and the machines'. */
export {
  type DoorGateOptions,
  type OpenDoorGate,
  type SigningKeys,
  openDoorGate,
} from "./door-gate.ts";
export { type LocalUserTrust, type PeopleGateOptions, openPeopleGate } from "./people-gate.ts";
