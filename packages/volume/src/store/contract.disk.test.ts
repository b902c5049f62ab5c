import { silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { volumeClientContract } from "../testing/volume-client-contract.ts";
import { openVolumeStore } from "./volume-store.ts";

volumeClientContract("store on disk", async () => {
  const folder = temporaryFolder();
  const client = await openVolumeStore({
    disk: systemDisk,
    clock: systemClock,
    hashes: systemHashes,
    log: silentLog,
    folder: folder.path,
  });
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      folder[Symbol.dispose]();
    },
  };
});
