import { join } from "node:path";
import type { BackupManifest, OpenedTarget } from "@kelp/all-in-one";
import { Command } from "commander";
import { type CommandLine, examples } from "../command-line.ts";
import {
  DIR_OPTION,
  VOLUME_DIR_OPTION,
  VOLUME_TIER_OPTION,
  dataFolderPath,
  volumeFolderPaths,
  volumeTiers,
} from "../data-folder-path.ts";
import { findServer } from "../management-client.ts";
import { addFlags, givenFlags } from "../options/flags.ts";
import { CommandError, UsageError } from "../usage-error.ts";
import { KELP_VERSION } from "../version.ts";

/** Progress is told at most this often. */
const PROGRESS_MS = 5000;

/** The volumes are asked for where no server runs: a server knows its own. */
const OPTIONS = [DIR_OPTION, VOLUME_DIR_OPTION, VOLUME_TIER_OPTION] as const;

export interface PlaceFlags {
  readonly endpoint?: string;
  readonly work?: string;
}

interface BackupFlags extends PlaceFlags {
  readonly keep?: string;
  readonly json?: true;
}

/** `kelp backup`: everything of a data folder, into a folder or a bucket. */
export function backupCommand(line: CommandLine): Command {
  const command = new Command("backup")
    .description(
      "Back up a data folder into a folder or an S3 bucket, while its server runs or while none does; only what is new is copied",
    )
    .argument("<TARGET>", "a folder, or s3://BUCKET/PREFIX (keys and endpoint as for the AWS CLI)")
    .option(
      "--keep <N>",
      "afterwards keep the newest N backups of this folder, and remove older ones",
    )
    .option("--json", "print the report as JSON");
  addPlaceFlags(command);
  addFlags(command, OPTIONS);
  for (const part of [listCommand(line), verifyCommand(line)]) {
    command.addCommand(part.exitOverride().configureHelp({ helpWidth: 100 }));
  }
  return command
    .addHelpText(
      "after",
      examples([
        ["kelp backup /mnt/backup", "the folder ./kelp-data"],
        ["kelp backup s3://vault/kelp --dir /srv/kelp --keep 14", "every night, two weeks of them"],
        ["kelp backup verify /mnt/backup", "read all of the newest, and prove that it is whole"],
        ["kelp restore /mnt/backup --dir /srv/again", "make a folder of the newest"],
      ]),
    )
    .action(async (place: string, flags: BackupFlags, self: Command) => {
      const keepCount = keepOf(flags.keep);
      const given = givenFlags(self, OPTIONS);
      const dir = dataFolderPath(line, given);
      const { FOLDER_FILES, isDataFolder, readServerState } =
        await import("@kelp/all-in-one/folder");
      if (!isDataFolder(dir)) throw new CommandError(`There is no data folder of Kelp at ${dir}`);
      const running = readServerState(join(dir, FOLDER_FILES.server));
      const { backUpFolder, hasDamage, openLog } = await import("@kelp/all-in-one");
      const to = await targetOf(line, place, flags);
      if (running !== undefined && isSameOrigin(to.endpoint, running.s3_url)) {
        throw new CommandError(`Cannot back up ${dir} to ${to.name}: that is in this very folder`);
      }
      const report = await failingClearly(`Cannot back up ${dir} to ${to.name}`, () =>
        backUpFolder({
          dir,
          to,
          server:
            running !== undefined
              ? findServer(line, { server: undefined, flags: given })
              : undefined,
          volumes: {
            folders: volumeFolderPaths(line, given)?.map((path) => {
              return { path, diskType: "", volumeCountMax: undefined };
            }),
            tiers: volumeTiers(line, given),
          },
          kelpVersion: KELP_VERSION,
          keepCount,
          onProgress: progressTo(line, ({ chunksDone, chunkCount, copiedBytes }) => {
            return `${chunksDone} of ${chunkCount} chunks, ${copiedBytes} bytes copied`;
          }),
          log: openLog({ level: "warn", format: "pretty" }),
        }),
      );
      const { manifest, copiedChunks, copiedNeedles, copiedBytes, masterKeyIds, harm } = report;
      const { looseNeedles, damagedCount } = manifest;
      if (flags.json === true) {
        line.out(
          JSON.stringify({
            id: manifest.id,
            position: manifest.position,
            chunk_count: manifest.chunkCount,
            damaged_count: damagedCount,
            needle_count: looseNeedles?.count ?? 0,
            damaged_needle_count: looseNeedles?.damagedCount ?? 0,
            copied_chunks: copiedChunks,
            copied_needles: copiedNeedles,
            copied_bytes: copiedBytes,
            removed_backups: report.removedBackups,
            master_key_ids: masterKeyIds,
            harm,
          }),
        );
      } else {
        const removed =
          report.removedBackups === 0 ? "" : `; ${report.removedBackups} older removed`;
        line.out(
          `Backup ${manifest.id} of ${dir}: position ${manifest.position}, ${contentOf(manifest)}, of them ${copiedChunks + copiedNeedles} new; ${copiedBytes} bytes copied${removed}`,
        );
        if (masterKeyIds.length > 0) {
          line.out(
            `It is sealed like the folder: restoring needs the master key ${masterKeyIds.join(", ")}`,
          );
        }
      }
      if (harm.length > 0) {
        for (const what of harm) line.err(`HARM    ${what}`);
        line.err(
          "This backup is whole, but earlier ones in the same place are not: see kelp backup list and verify, and the disk or bucket there",
        );
        line.exitWith(1);
      }
      if (hasDamage(manifest)) {
        for (const { fid, reason } of manifest.damaged) {
          line.err(`DAMAGE  ${/^\d/.test(fid) ? `blob ${fid}` : fid}: ${reason}`);
        }
        line.err(
          `${missingIn(manifest)} cannot be read and are missing in the backup: see kelp fsck`,
        );
        line.exitWith(1);
      }
      if (report.keptBecause !== undefined) {
        line.err(`The backup is made, but no older one was removed: ${report.keptBecause}`);
        line.exitWith(1);
      }
    });
}

function listCommand(line: CommandLine): Command {
  const command = new Command("list")
    .description("Tell which backups are there, oldest first")
    .argument("<TARGET>");
  addPlaceFlags(command);
  return command.action(async (place: string, flags: PlaceFlags) => {
    const { hasDamage, listBackups } = await import("@kelp/all-in-one");
    const to = await targetOf(line, place, flags);
    const found = await failingClearly(`Cannot list ${to.name}`, () => listBackups(to));
    for (const each of found) {
      if (each.kind === "unreadable") {
        line.err(`DAMAGE  ${each.id}: ${each.reason}`);
        line.exitWith(1);
        continue;
      }
      const { manifest } = each;
      const { id, position, storeId } = manifest;
      const damage = hasDamage(manifest) ? `; ${missingIn(manifest)} missing` : "";
      line.out(`${id}  position ${position}, ${contentOf(manifest)}${damage}, store ${storeId}`);
    }
  });
}

function verifyCommand(line: CommandLine): Command {
  const command = new Command("verify")
    .description("Read all of a backup and prove that it can be restored; exit status 1 when not")
    .argument("<TARGET>")
    .option("--backup <ID>", "which; by default the newest");
  addPlaceFlags(command);
  return command.action(async (place: string, flags: PlaceFlags & { readonly backup?: string }) => {
    const { verifyFolderBackup } = await import("@kelp/all-in-one");
    const to = await targetOf(line, place, flags);
    const manifest = await failingClearly(`The backup in ${to.name} cannot be restored`, () =>
      verifyFolderBackup(to, flags.backup),
    );
    line.out(
      `Backup ${manifest.id} is whole: ${contentOf(manifest)} in ${manifest.packs.length} packs`,
    );
  });
}

/** What a backup holds, in words. */
export function contentOf({ chunkCount, looseNeedles }: BackupManifest): string {
  const needles = looseNeedles === undefined ? "" : ` and ${looseNeedles.count} loose needles`;
  return `${chunkCount} chunks${needles}`;
}

/** What was damaged when it was made, in words. */
export function missingIn({ damagedCount, looseNeedles }: BackupManifest): string {
  const needles = looseNeedles?.damagedCount ?? 0;
  return needles === 0
    ? `${damagedCount} chunks`
    : `${damagedCount} chunks and ${needles} loose needles or volumes of them`;
}

export function addPlaceFlags(command: Command): void {
  command
    .option("--endpoint <URL>", "of the S3 service (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL)")
    .option(
      "--work <FOLDER>",
      "for copies of the databases meanwhile; by default in the target, for S3 in the system's folder for temporary files",
    );
}

export async function targetOf(
  line: CommandLine,
  place: string,
  flags: PlaceFlags,
): Promise<OpenedTarget> {
  const { placeOf } = await import("@kelp/all-in-one");
  return failingClearly(`Cannot use ${place}`, async () =>
    placeOf({
      place,
      currentFolder: line.currentFolder,
      environment: line.environment,
      endpoint: flags.endpoint,
      workFolder: flags.work,
    }),
  );
}

/** What went wrong with a backup, after a beginning that says what was tried. Throws `CommandError`. */
export async function failingClearly<Value>(
  beginning: string,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    const { backupFailure } = await import("@kelp/all-in-one");
    const reason = backupFailure(error);
    if (reason === undefined) throw error;
    throw new CommandError(`${beginning}: ${reason}`, { cause: error });
  }
}

/** Tells how far it is, now and then. */
export function progressTo<Progress>(
  line: CommandLine,
  textOf: (progress: Progress) => string,
): (progress: Progress) => void {
  let toldMs = performance.now();
  return (progress) => {
    if (performance.now() - toldMs < PROGRESS_MS) return;
    toldMs = performance.now();
    line.err(textOf(progress));
  };
}

function isSameOrigin(endpoint: string | undefined, url: string): boolean {
  return endpoint !== undefined && URL.parse(endpoint)?.origin === new URL(url).origin;
}

function keepOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new UsageError(`--keep is ${JSON.stringify(text)}: it must be a whole number from 1 on`);
  }
  return Number(text);
}
