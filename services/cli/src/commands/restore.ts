import { Command } from "commander";
import { type CommandLine, examples } from "../command-line.ts";
import { DIR_OPTION, dataFolderPath } from "../data-folder-path.ts";
import { addFlags, givenFlags } from "../options/flags.ts";
import {
  type PlaceFlags,
  addPlaceFlags,
  contentOf,
  failingClearly,
  missingIn,
  progressTo,
  targetOf,
} from "./backup.ts";

interface RestoreFlags extends PlaceFlags {
  readonly backup?: string;
}

/** `kelp restore`: a data folder made of a backup. */
export function restoreCommand(line: CommandLine): Command {
  const command = new Command("restore")
    .description(
      "Make a data folder of a backup, checking every byte; the folder must be empty or absent",
    )
    .argument("<SOURCE>", "where the backups are: a folder, or s3://BUCKET/PREFIX")
    .option("--backup <ID>", "which one; by default the newest");
  addPlaceFlags(command);
  addFlags(command, [DIR_OPTION]);
  return command
    .addHelpText(
      "after",
      examples([
        ["kelp restore /mnt/backup --dir /srv/again", "the newest backup"],
        ["kelp backup list /mnt/backup", "which ones there are"],
      ]),
    )
    .action(async (place: string, flags: RestoreFlags, self: Command) => {
      const dir = dataFolderPath(line, givenFlags(self, [DIR_OPTION]));
      const { hasDamage, openLog, restoreFolder } = await import("@kelp/all-in-one");
      const from = await targetOf(line, place, flags);
      const manifest = await failingClearly(`Cannot restore ${from.name} into ${dir}`, () =>
        restoreFolder({
          from,
          dir,
          id: flags.backup,
          onProgress: progressTo(line, ({ chunksDone, chunkCount }) => {
            return `${chunksDone} of ${chunkCount} chunks`;
          }),
          log: openLog({ level: "warn", format: "pretty" }),
        }),
      );
      line.out(
        `${dir} is restored from backup ${manifest.id}: position ${manifest.position}, ${contentOf(manifest)}`,
      );
      if (hasDamage(manifest)) {
        line.err(
          `${missingIn(manifest)} were missing when the backup was made: kelp fsck names them`,
        );
        line.exitWith(1);
      }
    });
}
