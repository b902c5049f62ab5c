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
import { addFlags, givenFlags } from "../options/flags.ts";
import { CommandError } from "../usage-error.ts";

interface FsckFlags {
  readonly json?: true;
  readonly removeOrphans?: true;
  readonly rebuildIndex?: true;
}

/** `kelp fsck`: does everything in a data folder fit together? */
export function fsckCommand(line: CommandLine): Command {
  const command = new Command("fsck")
    .description(
      "Compare every entry with every stored blob while no server runs; exit status 1 when something is damaged",
    )
    .option("--json", "print the report as JSON")
    .option("--remove-orphans", "remove blobs that belong to nothing (writes that a crash cut off)")
    .option(
      "--rebuild-index",
      "first make the indexes of all volumes anew from the volumes, and say what was wrong with them",
    );
  addFlags(command, [DIR_OPTION, VOLUME_DIR_OPTION, VOLUME_TIER_OPTION]);
  return command
    .addHelpText(
      "after",
      examples([
        ["kelp fsck", "the folder ./kelp-data"],
        ["kelp fsck --dir /srv/kelp --json", "for programs"],
        [
          "kelp fsck --volume.dir /a,/b",
          "content in other folders than where the server had it last",
        ],
        ["kelp fsck --rebuild-index", "when index files are lost or not to be trusted"],
      ]),
    )
    .action(async (flags: FsckFlags, self: Command) => {
      const given = givenFlags(self, [DIR_OPTION, VOLUME_DIR_OPTION, VOLUME_TIER_OPTION]);
      const dir = dataFolderPath(line, given);
      const volumePaths = volumeFolderPaths(line, given);
      // Loaded here so that other commands need not wait for it.
      const { checkFolder, openLog } = await import("@kelp/all-in-one");
      const { isDataFolder } = await import("@kelp/all-in-one/folder");
      if (!isDataFolder(dir)) throw new CommandError(`There is no data folder of Kelp at ${dir}`);

      const isJson = flags.json === true;
      const findings: unknown[] = [];
      let damageCount = 0;
      const checked = await checkFolder(dir, {
        orphans: flags.removeOrphans === true ? "remove" : "report",
        volumeFolders: volumePaths?.map((path) => ({
          path,
          diskType: "",
          volumeCountMax: undefined,
        })),
        indexes: flags.rebuildIndex === true ? "rebuild" : "keep",
        volumeTiers: volumeTiers(line, given),
        log: openLog({ level: "warn", format: "pretty" }),
        onFinding: (finding) => {
          if (!finding.isHarmless) damageCount += 1;
          if (isJson) findings.push(finding);
          else line.out(`${finding.isHarmless ? "harmless" : "DAMAGE  "}  ${finding.text}`);
        },
      });
      if (isJson) {
        line.out(JSON.stringify({ dir, ...checked, damageCount, findings }));
      } else {
        if (flags.rebuildIndex === true) {
          line.out(`${dir}: the indexes of ${checked.rebuiltCount} volumes were made anew`);
        }
        const size = `${checked.blobCount} blobs (${checked.blobBytes} bytes) in ${checked.volumeCount} volumes`;
        line.out(
          `${dir}: ${size}; ${damageCount === 0 ? "no damage" : `${damageCount} things are damaged`}`,
        );
      }
      if (damageCount > 0) line.exitWith(1);
    });
}
