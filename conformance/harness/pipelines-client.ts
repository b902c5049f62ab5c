import type { KelpServer } from "./kelp-server.ts";

/** The few calls of the pipelines API that tests make themselves. */
export async function submitRun(
  server: KelpServer,
  name: string,
  pipelineSpec: unknown,
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const run = await call(server, "POST", "/apis/v2beta1/runs", {
    display_name: name,
    pipeline_spec: pipelineSpec,
    runtime_config: { parameters },
  });
  return String(run["run_id"]);
}

export async function runState(server: KelpServer, runId: string): Promise<string> {
  return String((await call(server, "GET", `/apis/v2beta1/runs/${runId}`))["state"]);
}

const FINAL = new Set(["SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"]);

/** Asks until the run is final, as the SDK does. Ends only by the test's own time limit. */
export async function waitForRun(server: KelpServer, runId: string): Promise<string> {
  for (;;) {
    const state = await runState(server, runId);
    if (FINAL.has(state)) return state;
    await Bun.sleep(100);
  }
}

async function call(
  server: KelpServer,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(server.consoleUrl + path, {
    method,
    headers: {
      authorization: `Bearer ${server.credentials.console_token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
