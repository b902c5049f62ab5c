/** For tests of rooms that store needles: the contract of `VolumeClient` and a twin in memory. */
export { MemoryVolumes } from "./memory-volumes.ts";
export { type ContractWorld, codeOf, volumeClientContract } from "./volume-client-contract.ts";
