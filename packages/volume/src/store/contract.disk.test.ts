import { silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { needleStoreContract } from "../testing/needle-store-contract.ts";
import { volumeClientContract } from "../testing/volume-client-contract.ts";
import { openVolumeStore } from "./volume-store.ts";

async function open() {
  const folder = temporaryFolder();
  const store = await openVolumeStore({
    disk: systemDisk,
    clock: systemClock,
    hashes: systemHashes,
    log: silentLog,
    folder: folder.path,
  });
  return {
    store,
    client: store,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}

volumeClientContract("store on disk", open);
needleStoreContract("store on disk", open);
