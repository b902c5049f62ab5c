import { MemoryVolumes } from "./memory-volumes.ts";
import { needleStoreContract } from "./needle-store-contract.ts";
import { volumeClientContract } from "./volume-client-contract.ts";

const nothing = { [Symbol.asyncDispose]: async () => undefined };

volumeClientContract("memory twin", async () => ({ client: new MemoryVolumes(), ...nothing }));
needleStoreContract("memory twin", async () => ({ store: new MemoryVolumes(), ...nothing }));
