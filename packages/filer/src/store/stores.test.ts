import { openDatabase, systemHashes, systemRandom } from "@kelp/base/platform";
import { ManualClock } from "../testing/manual-clock.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";
import { openMemoryStore } from "./testing/memory-store.ts";
import { filerStoreContract } from "./testing/contract/store-contract.ts";

filerStoreContract("sqlite", () => {
  const clock = new ManualClock();
  const database = openDatabase(":memory:");
  const store = openSqliteStore({ database, clock, random: systemRandom, hashes: systemHashes });
  return {
    store,
    clock,
    [Symbol.dispose]() {
      store[Symbol.dispose]();
      database[Symbol.dispose]();
    },
  };
});

filerStoreContract("memory", () => {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock, random: systemRandom, hashes: systemHashes });
  return { store, clock, [Symbol.dispose]: () => store[Symbol.dispose]() };
});
