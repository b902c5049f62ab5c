import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Log, Service } from "@kelp/base";
import {
  parseYamlDocuments,
  systemClock,
  systemFiles,
  systemHashes,
  systemProcesses,
  systemRandom,
} from "@kelp/base/platform";
import { openLineage } from "@kelp/lineage";
import { SubprocessExecutor, createPipelinesEngine } from "@kelp/pipelines";
import { createPipelinesHandler } from "@kelp/pipelines/server";
import type { PeopleHandler } from "@kelp/wire";
import type { DataFolder } from "./folder/data-folder.ts";
import { openFolderDatabase } from "./folder/folder-database.ts";
import type { Secrets } from "./secrets.ts";
import type { ServerSettings } from "./settings.ts";
import { PIPELINES_BUCKET, type Store } from "./store.ts";

const PARALLELISM_MIN = 2;

/** Engine and API of pipelines; the handler belongs behind the people's door. */
export interface Pipelines extends Service {
  readonly handler: PeopleHandler;
}

/** Opens the pipelines on the store and takes up the runs that an earlier process left unfinished. */
export async function openPipelines(options: {
  readonly folder: DataFolder;
  readonly store: Store;
  readonly settings: ServerSettings;
  readonly secrets: Secrets;
  readonly version: string;
  readonly log: Log;
}): Promise<Pipelines> {
  const { folder, store } = options;
  const settings = options.settings.pipelines;
  const log = options.log.child({ room: "pipelines" });
  const common = {
    objects: store.objects,
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
    files: systemFiles,
    log,
  };
  await using opened = new AsyncDisposableStack();
  const database = opened.use(
    openFolderDatabase(folder, "pipelines", { damagedLog: options.settings.damagedLog, log }),
  );
  const lineage = openLineage(database);
  const executor = new SubprocessExecutor(
    { ...common, processes: systemProcesses },
    {
      workFolder: folder.file("work"),
      python: settings.python,
      imagePolicy: settings.imagePolicy,
      environment: process.env,
    },
  );
  const engine = opened.use(
    createPipelinesEngine(
      { ...common, database, lineage, executor },
      {
        parallelism: settings.parallelism ?? Math.max(PARALLELISM_MIN, availableParallelism()),
        logFolder: join(folder.file("work"), "logs"),
        isCacheEnabled: settings.cache === "on",
        pipelineRoot: `s3://${PIPELINES_BUCKET}/v2/artifacts`,
        secrets: options.secrets,
      },
    ),
  );
  await engine.resume();
  const handler = createPipelinesHandler({
    ...common,
    engine,
    database,
    lineage,
    authorizer: store.iam,
    version: options.version,
    parseYaml: parseYamlDocuments,
  });

  const owned = opened.move();
  const stop = (): Promise<void> => owned.disposeAsync();
  return {
    handler,
    drain: (signal) => engine.drain(signal),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
