import type { RunGraphMessage } from "@kelp/wire/management";
import { RunClientError } from "./errors.ts";

/** The part of the web's `fetch` that is needed. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The three calls of `kelp run`. All throw `RunClientError` "refused" or "unreachable". */
export interface PipelinesClient {
  /** Returns the new run's id. */
  createRun(request: unknown, signal?: AbortSignal): Promise<string>;
  getGraph(runId: string, signal?: AbortSignal): Promise<RunGraphMessage>;
}

export function createPipelinesClient(options: {
  /** Without a slash at the end, such as `http://127.0.0.1:8800`. */
  readonly baseUrl: string;
  readonly token?: string | undefined;
  readonly fetch: Fetch;
}): PipelinesClient {
  const headers: Record<string, string> = {
    accept: "application/json",
    "content-type": "application/json",
  };
  if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;

  async function call(path: string, init: Omit<RequestInit, "headers">): Promise<unknown> {
    const url = `${options.baseUrl}${path}`;
    let response: Response;
    try {
      response = await options.fetch(url, { ...init, headers });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new RunClientError("unreachable", `Cannot reach ${options.baseUrl}: ${reason}`, {
        cause: error,
      });
    }
    const text = await response.text();
    if (!response.ok) throw refusal(response.status, text);
    return parseJson(text, url);
  }

  return {
    async createRun(request, signal) {
      const answer = await call("/apis/v2beta1/runs", {
        method: "POST",
        body: JSON.stringify(request),
        ...withSignal(signal),
      });
      return (answer as { readonly run_id: string }).run_id;
    },
    async getGraph(runId, signal) {
      const path = `/apis/kelp/v1/runs/${encodeURIComponent(runId)}/graph`;
      return (await call(path, withSignal(signal))) as RunGraphMessage;
    },
  };
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** What stands behind the port may be anything, so its answer may be too. */
function parseJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new RunClientError("refused", `Cannot use the answer of ${url}: it is no JSON`, {
      cause: error,
    });
  }
}

function refusal(status: number, text: string): RunClientError {
  let message: unknown;
  try {
    message = (JSON.parse(text) as { readonly message?: unknown }).message;
  } catch (error) {
    return new RunClientError("refused", `The server refused: HTTP ${status}`, { cause: error });
  }
  const reason = typeof message === "string" ? message : `HTTP ${status}`;
  return new RunClientError("refused", `The server refused: ${reason}`);
}
