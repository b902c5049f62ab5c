import type { Disk } from "./disk.ts";

/** Makes a folder and those above it, so that none of them is lost with the power: the name of each is synced. */
export async function makeDurableFolder(disk: Disk, path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; !(await disk.exists(at)); at = parentOf(at)) missing.push(at);
  if (missing.length === 0) return;
  await disk.makeFolder(path);
  for (const made of missing) await disk.syncFolder(parentOf(made));
}

function parentOf(path: string): string {
  const cut = path.replace(/\/+$/, "").lastIndexOf("/");
  if (cut < 0) return ".";
  return cut === 0 ? "/" : path.slice(0, cut);
}
