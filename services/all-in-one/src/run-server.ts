import { systemDisk } from "@kelp/base/platform";
import { utf8 } from "@kelp/base";
import { StartError } from "./errors.ts";
import { errorText } from "./folder/error-text.ts";
import { isFullDisk } from "./folder/full-disk.ts";
import { exposureOf } from "./keys/exposed-key.ts";
import { readMasterKeys } from "./keys/master-keys.ts";
import { readSecrets } from "./secrets.ts";
import { FOLDER_FILES } from "./folder/data-folder.ts";
import { bannerText } from "./process/banner.ts";
import { runUntilSignal, watchProcess } from "./process/lifetime.ts";
import { openLog } from "./process/log.ts";
import type { ServerSettings } from "./settings.ts";
import { type Server, startServer } from "./server.ts";

/** What the server needs to know of the program around it. */
export interface ProgramFacts {
  readonly version: string;
  /** Where the built console is. */
  readonly consoleFolder: string;
  /** How the user calls the CLI, quoted for a shell. */
  readonly program: string;
  /** What other commands need to find this data folder: ` --dir …` quoted for a shell, or nothing. */
  readonly dirFlag: string;
  /** How a gateway process is started: a program of this runtime that ends in `runGateway`, and its arguments. */
  readonly gatewayCommand: { readonly file: string; readonly args: readonly string[] };
  /** Lines for the user, on standard output. */
  readonly out: (text: string) => void;
}

/** Runs the server until a signal ends it; returns the exit status. Throws `StartError` when it cannot start. */
export async function runServer(settings: ServerSettings, facts: ProgramFacts): Promise<number> {
  // Databases hold secrets, and the folder may be one that others can look into.
  process.umask(0o077);
  const log = openLog({ level: settings.logLevel, format: settings.logFormat });
  const ending = watchProcess(log);
  const { secretsFile } = settings.pipelines;
  const secrets = secretsFile === undefined ? new Map() : readSecrets(secretsFile);
  const { atRest, previous } = settings.encryption;
  const masterKeys = readMasterKeys({ current: atRest, previous }, process.env);
  const exposure = atRest === undefined ? undefined : exposureOf(atRest, settings.dir);
  if (exposure !== undefined) log.warn(`the master key is no secret: ${exposure}`);
  const server = await startServer(settings, { ...facts, log, secrets, masterKeys }).catch(
    (error: unknown) => {
      throw isFullDisk(error) ? fullDisk(error, settings.dir) : error;
    },
  );
  try {
    if (settings.readyFile !== undefined)
      await writeReadyFile(settings.readyFile, server, facts.version);
    facts.out(banner(server, settings, facts));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return runUntilSignal(server, ending, log);
}

function fullDisk(error: unknown, dir: string): StartError {
  return new StartError(
    "disk-full",
    `Cannot start on ${dir}: its disk, or that of a folder of volumes, has no space left (${errorText(error)}); a few MiB are enough`,
    { cause: error },
  );
}

/** Appears whole, by rename, once every door answers: what a script needs to use this server. */
async function writeReadyFile(path: string, server: Server, version: string): Promise<void> {
  const content = {
    pid: process.pid,
    version,
    dir: server.dir,
    endpoints: {
      s3: server.s3Url,
      console: server.consoleUrl,
      pipelines: server.consoleUrl,
      master: server.masterUrl,
      volume: server.volumeUrl,
      filer: server.filerUrl,
    },
    credentials_file: `${server.dir}/${FOLDER_FILES.credentials}`,
  };
  try {
    await systemDisk.writeWhole(path, utf8(`${JSON.stringify(content)}\n`));
  } catch (error) {
    throw new StartError(
      "ready-file-unusable",
      `${errorText(error)}; name another file with --ready-file`,
      {
        cause: error,
      },
    );
  }
}

function banner(server: Server, settings: ServerSettings, facts: ProgramFacts): string {
  return bannerText({
    version: facts.version,
    dir: server.dir,
    s3Url: server.s3Url,
    consoleUrl: server.consoleUrl,
    masterUrl: server.masterUrl,
    volumeUrl: server.volumeUrl,
    filerUrl: server.filerUrl,
    accessKey: server.accessKey,
    credentialsFile: `${server.dir}/${FOLDER_FILES.credentials}`,
    isLocalUserTrusted: settings.localUser === "trusted",
    program: facts.program,
    dirFlag: facts.dirFlag,
  });
}
