/**
 * A process to be killed: writes, replaces and deletes entries in one database and prints each acknowledged one as a line
 * `path etag position`, with `-` for the etag of a deletion. Started by `filer.disk.test.ts`.
 */
import { writeSync } from "node:fs";
import { must, silentLog } from "@kelp/base";
import { openDatabase, systemClock, systemHashes, systemRandom } from "@kelp/base/platform";
import { openFiler } from "../filer.ts";
import { MemoryVolumes } from "./memory-volumes.ts";
import { TREE, pathOf } from "./world.ts";

const [, , file, round] = Bun.argv;
const volumes = new MemoryVolumes();
const filer = openFiler({
  database: openDatabase(must(file)),
  volumes,
  master: volumes,
  clock: systemClock,
  random: systemRandom,
  hashes: systemHashes,
  log: silentLog,
});
await filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });

/** Each writer has paths of its own, and prints before it goes on: at most one of its writes is unheard of. */
async function writeOn(writer: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const path = pathOf(`${writer}/${count % 10}`);
    if (count % 7 === 6) {
      await filer.deleteEntry({ tree: TREE, path });
      writeSync(1, `${path} -\n`);
      continue;
    }
    const body = systemRandom.bytes(100 + ((count * 997) % 9000));
    const result = await filer.writeFile({
      tree: TREE,
      path,
      body,
      describe: () => ({ attributes: { round: must(round) } }),
    });
    if (result.kind === "ok") writeSync(1, `${path} ${result.value.etag}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, (_, writer) => writeOn(writer)));
