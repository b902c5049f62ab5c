/** The HTTP interface of a master: where files go, and what there is. */
export { type MasterDoorOptions, openMasterDoor } from "./master-door.ts";
