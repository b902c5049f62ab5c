/** `bun conformance/checker/main.ts FOLDER`: checks the volumes in a folder; exit status 1 when something is wrong. */
import { checkVolumeFolder } from "./folder.ts";

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("usage: main.ts FOLDER");
const { problems, volumeCount, recordCount, liveCount } = checkVolumeFolder(folder);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(
  `${volumeCount} volumes, ${recordCount} records, ${liveCount} live needles: ${problems.length} problems\n`,
);
process.exitCode = problems.length > 0 ? 1 : 0;
