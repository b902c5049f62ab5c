import type {
  ArtifactLineageMessage,
  ArtifactMessage,
  RunGraphMessage,
  RunState,
} from "@kelp/wire/management";
import { requestJson, send, withQuery } from "./http.ts";
import type { Page } from "./pipeline-messages.ts";

const ROOT = "/apis/kelp/v1";

export function fetchRunGraph(runId: string): Promise<RunGraphMessage> {
  return requestJson(`${ROOT}/runs/${encodeURIComponent(runId)}/graph`);
}

/** Text pieces of a step's log as they are written, until the step ends or `signal` aborts. */
export async function* followLog(
  step: { readonly runId: string; readonly taskId: string },
  signal: AbortSignal,
): AsyncGenerator<string> {
  const path = `${ROOT}/runs/${encodeURIComponent(step.runId)}/tasks/${encodeURIComponent(step.taskId)}/log`;
  const response = await send(withQuery(path, { follow: true }), { signal });
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const next = await reader.read();
      if (next.done) return;
      yield next.value;
    }
  } finally {
    reader.releaseLock();
  }
}

export async function fetchArtifacts(query: {
  readonly pageSize: number;
  readonly pageToken?: string | undefined;
  readonly runId?: string | undefined;
}): Promise<Page<ArtifactMessage>> {
  const answer = await requestJson<{
    artifacts?: readonly ArtifactMessage[];
    next_page_token?: string | null;
    total_size?: number;
  }>(
    withQuery(`${ROOT}/artifacts`, {
      page_size: query.pageSize,
      page_token: query.pageToken,
      run_id: query.runId,
    }),
  );
  return {
    items: answer.artifacts ?? [],
    nextToken: answer.next_page_token || undefined,
    totalSize: answer.total_size ?? 0,
  };
}

export function fetchArtifact(artifactId: string): Promise<ArtifactLineageMessage> {
  return requestJson(`${ROOT}/artifacts/${encodeURIComponent(artifactId)}`);
}

/** No further change is to be expected. */
export function isFinalState(state: RunState | undefined): boolean {
  return state === "SUCCEEDED" || state === "FAILED" || state === "SKIPPED" || state === "CANCELED";
}
