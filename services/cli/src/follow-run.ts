import { parseYamlDocuments, systemClock } from "@kelp/base/platform";
import {
  type DisplayOptions,
  RunClientError,
  createPipelinesClient,
  runFile,
} from "@kelp/pipelines/client";
import type { ServerAddress } from "./management-client.ts";
import { CommandError } from "./usage-error.ts";

/** Submits a pipeline and shows its progress. Returns the exit status; throws `CommandError` when that cannot be done. */
export async function followRun(request: {
  readonly server: ServerAddress;
  readonly specText: string;
  readonly parameters: readonly string[];
  readonly runName: string | undefined;
  readonly experimentId: string | undefined;
  readonly screen: DisplayOptions;
}): Promise<number> {
  const { baseUrl, token } = request.server;
  try {
    return await runFile(
      {
        client: createPipelinesClient({ baseUrl, token, fetch }),
        clock: systemClock,
        parseYaml: parseYamlDocuments,
        display: request.screen,
      },
      {
        specText: request.specText,
        parameters: request.parameters,
        consoleUrl: baseUrl,
        ...(request.runName === undefined ? {} : { runName: request.runName }),
        ...(request.experimentId === undefined ? {} : { experimentId: request.experimentId }),
      },
    );
  } catch (error) {
    if (error instanceof RunClientError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}
