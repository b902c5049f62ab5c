import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Clock, type Disk, utf8 } from "@kelp/base";
import { z } from "zod";
import { StartError } from "../errors.ts";
import { FolderLock } from "./folder-lock.ts";
import { makePrivateFolder } from "./private-folder.ts";
import { errorText } from "./error-text.ts";

/** Names in the data folder. `docs/operations.md` tells what each is for. */
export const FOLDER_FILES = {
  format: "format.json",
  lock: "lock.db",
  credentials: "credentials.json",
  server: "server.json",
  filer: "filer.db",
  iam: "iam.db",
  pipelines: "pipelines.db",
  volumes: "volumes",
  catalogue: "volumes.json",
  work: "work",
  gateways: "gateways.sock",
} as const;

/** Grows when an older program could not read the folder, or would harm it. */
const FORMAT_VERSION = 1;

const formatSchema = z.object({ format: z.number().int().positive() });

/** The one folder with everything in it, held by this process alone until disposed. */
export interface DataFolder extends Disposable {
  readonly path: string;
  file(name: keyof typeof FOLDER_FILES): string;
}

/**
 * Makes or opens the folder and takes its lock. Throws `StartError`: `folder-in-use` when another process holds it,
 * `format-unknown` when a newer Kelp wrote it, `folder-unusable` when the system refuses.
 */
export async function openDataFolder(
  path: string,
  deps: { readonly disk: Disk; readonly clock: Clock },
): Promise<DataFolder> {
  makeDataFolder(path);
  const file = (name: keyof typeof FOLDER_FILES): string => join(path, FOLDER_FILES[name]);
  const lock = FolderLock.take(file("lock"), path, file("server"));
  try {
    await checkFormat(file("format"), deps);
    makeDataFolder(file("volumes"));
    makeDataFolder(file("work"));
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
  return { path, file, [Symbol.dispose]: () => lock[Symbol.dispose]() };
}

const restoringSchema = z.object({ restoring: z.literal(true) });

/** Says in the folder that it is being restored: nobody takes what is there for a data folder. Durable. */
export async function markRestoring(path: string, disk: Disk): Promise<void> {
  await disk.writeWhole(
    join(path, FOLDER_FILES.format),
    utf8(`${JSON.stringify({ restoring: true })}\n`),
  );
}

/** Whether a restore into the folder was begun and not finished. */
export function isRestoring(path: string): boolean {
  const file = join(path, FOLDER_FILES.format);
  if (!existsSync(file)) return false;
  return restoringSchema.safeParse(parseJson(readFileSync(file, "utf8"))).success;
}

/** Makes the restored folder a data folder. Durable. */
export async function finishRestoredFolder(
  path: string,
  deps: { readonly disk: Disk; readonly clock: Clock },
): Promise<void> {
  await deps.disk.syncFolder(path);
  await writeFormat(join(path, FOLDER_FILES.format), deps);
}

/** Is this a folder that a server has used? For commands that read and must not make one. */
export function isDataFolder(path: string): boolean {
  return existsSync(join(path, FOLDER_FILES.format));
}

function makeDataFolder(path: string): void {
  try {
    makePrivateFolder(path);
  } catch (error) {
    throw new StartError(
      "folder-unusable",
      `Cannot use ${path} as data folder: ${errorText(error)}`,
      { cause: error },
    );
  }
}

async function checkFormat(
  path: string,
  deps: { readonly disk: Disk; readonly clock: Clock },
): Promise<void> {
  if (!existsSync(path)) {
    await writeFormat(path, deps);
    return;
  }
  const content = parseJson(readFileSync(path, "utf8"));
  if (restoringSchema.safeParse(content).success) {
    throw new StartError(
      "restore-unfinished",
      `Cannot open ${dirname(path)}: a restore into it was not finished; run kelp restore again`,
    );
  }
  const parsed = formatSchema.safeParse(content);
  if (!parsed.success) {
    throw new StartError("format-unknown", `Cannot read ${path}: it does not tell a format`);
  }
  if (parsed.data.format > FORMAT_VERSION) {
    throw new StartError(
      "format-unknown",
      `Cannot open ${path}: the folder has format ${parsed.data.format} and this Kelp knows up to ${FORMAT_VERSION}; use the newer Kelp that wrote it`,
    );
  }
}

async function writeFormat(
  path: string,
  deps: { readonly disk: Disk; readonly clock: Clock },
): Promise<void> {
  const content = { format: FORMAT_VERSION, created_ms: deps.clock.nowMs() };
  await deps.disk.writeWhole(path, utf8(`${JSON.stringify(content)}\n`));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
