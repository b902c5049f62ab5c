import type { Disk, DiskFile } from "@kelp/base";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { UNFINISHED } from "./shard-names.ts";

/** Copies a file under an unfinished name, syncs it and gives it its name, which is durable when the folder is synced. */
export async function copyFile(disk: Disk, source: string, target: string): Promise<void> {
  await using input = await disk.open(source, { access: "read" });
  await copyOpenFile(disk, input, target);
}

/** The same of a file that is open, and perhaps has no name any more. */
export async function copyOpenFile(
  disk: Disk,
  input: Pick<DiskFile, "readAt">,
  target: string,
): Promise<void> {
  {
    await using output = await disk.open(`${target}${UNFINISHED}`, {
      access: "read-write",
      create: true,
    });
    await output.truncate(0);
    const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
    for (let at = 0; ;) {
      const count = await input.readAt(buffer, at);
      if (count === 0) break;
      await output.writeAt([buffer.subarray(0, count)], at);
      at += count;
    }
    await output.sync();
  }
  await disk.rename(`${target}${UNFINISHED}`, target);
}
