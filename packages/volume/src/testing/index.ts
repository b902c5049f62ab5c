/** For tests of rooms that store needles: the contracts of `VolumeClient` and `NeedleStore`, and a twin in memory. */
export { MemoryVolumes } from "./memory-volumes.ts";
export { type NeedleWorld, needleStoreContract } from "./needle-store-contract.ts";
export { type ContractWorld, codeOf, volumeClientContract } from "./volume-client-contract.ts";
