/** Decides where new needles go, behind the port `MasterClient`. */
export { MasterError, type MasterErrorCode } from "./errors.ts";
export { WRITABLE_COUNT_DEFAULT } from "./limits.ts";
export { Master, type MasterOptions, openMaster } from "./master.ts";
export { GatewayMaster } from "./gateway/gateway-master.ts";
export { serveMaster } from "./gateway/master-calls.ts";
