import { MemoryVolumes } from "./memory-volumes.ts";
import { volumeClientContract } from "./volume-client-contract.ts";

volumeClientContract("memory twin", async () => ({
  client: new MemoryVolumes(),
  [Symbol.asyncDispose]: async () => undefined,
}));
