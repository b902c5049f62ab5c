import { describe, expect, test } from "bun:test";
import { parseYamlDocuments, systemClock } from "@kelp/base/platform";
import {
  type ApiWorld,
  type StepScript,
  fail,
  openApiWorld,
  parameterSpec,
  specOf,
  succeed,
} from "../server/testing/index.ts";
import { RunClientError } from "./errors.ts";
import { type Fetch, createPipelinesClient } from "./pipelines-client.ts";
import { type RunFileRequest, runFile } from "./run-file.ts";

const fetchFrom =
  (world: ApiWorld): Fetch =>
  (url, init) =>
    world.handler(
      new Request(url, init),
      { kind: "admitted", principal: { kind: "root", name: "root" }, via: "token" },
      {
        method: "GET",
        headers: {},
        remoteAddress: "",
        remotePort: 1,
        localAddress: "",
        localPort: 1,
      },
    );

/** Runs a specification as the command would, with what it prints. */
async function run(
  fetch: Fetch,
  request: Partial<RunFileRequest> & { readonly spec: unknown },
  options: { readonly isTerminal?: boolean; readonly signal?: AbortSignal } = {},
): Promise<{ readonly exitCode: number; readonly output: string }> {
  let output = "";
  const { isTerminal = false, signal } = options;
  const exitCode = await runFile(
    {
      client: createPipelinesClient({ baseUrl: "http://door", fetch }),
      clock: systemClock,
      parseYaml: parseYamlDocuments,
      display: { print: (text) => (output += text), width: 100, height: 24, isTerminal },
      ...(signal === undefined ? {} : { signal }),
    },
    {
      specText: JSON.stringify(request.spec),
      parameters: request.parameters ?? [],
      consoleUrl: "http://console",
    },
  );
  return { exitCode, output };
}

async function refusalOf(work: Promise<unknown>): Promise<RunClientError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof RunClientError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("kelp run", () => {
  test("follows a run to its success: exit code 0", async () => {
    await using world = openApiWorld();
    const { exitCode, output } = await run(fetchFrom(world), {
      spec: specOf("hello", ["one", "two"]),
    });
    expect(exitCode).toBe(0);
    expect(output).toMatch(
      /^Run [0-9a-f-]{36}\nhttp:\/\/console\/#\/runs\/details\/[0-9a-f-]{36}\n/,
    );
    expect(output).toContain("SUCCEEDED one");
    expect(output).toEndWith("Run SUCCEEDED\n");
  });

  test("a failed run says why and where its log is: exit code 1", async () => {
    const failing: StepScript = async (request, log, signal) => fail(request, log, signal);
    await using world = openApiWorld({ step: failing });
    const { exitCode, output } = await run(fetchFrom(world), { spec: specOf("hello") });
    expect(exitCode).toBe(1);
    expect(output).toContain("Run FAILED");
    expect(output).toContain("exit code 1");
    expect(output).toMatch(
      /Whole log: http:\/\/console\/apis\/kelp\/v1\/runs\/\S+\/tasks\/\S+\/log/,
    );
  });

  test("parameters are typed as the pipeline declares", async () => {
    await using world = openApiWorld();
    const parameters = [
      "count=5",
      "ratio=2.5",
      "text=7",
      "isOn=True",
      'list=["a"]',
      'struct={"a":1}',
    ];
    expect((await run(fetchFrom(world), { spec: parameterSpec("p"), parameters })).exitCode).toBe(
      0,
    );
    const [made] = (await world.call("GET", "/apis/v2beta1/runs")).body.runs;
    expect(made.runtime_config.parameters).toEqual({
      count: 5,
      ratio: 2.5,
      text: "7",
      isOn: true,
      list: ["a"],
      struct: { a: 1 },
    });
  });

  test.each([
    "count=five",
    "count=1.5",
    "ratio=",
    "isOn=1",
    "list={}",
    "list=[",
    "struct=[]",
    "nothing=1",
    "count",
    "=1",
  ])("refuses --param %s before anything is sent", async (parameter) => {
    const fetch: Fetch = () => Promise.reject(new Error("nothing may be sent"));
    const work = run(fetch, { spec: parameterSpec("p"), parameters: [parameter] });
    expect((await refusalOf(work)).code).toBe("invalid-parameter");
  });

  test("refuses a file that is no pipeline", async () => {
    const fetch: Fetch = () => Promise.reject(new Error("nothing may be sent"));
    expect((await refusalOf(run(fetch, { spec: { a: 1 } }))).code).toBe("invalid-file");
    expect((await refusalOf(run(fetch, { spec: null }))).code).toBe("invalid-file");
  });

  test("says what the server refused, and that there is none", async () => {
    await using world = openApiWorld();
    world.isAllowed = () => false;
    const refusal = await refusalOf(run(fetchFrom(world), { spec: specOf("hello") }));
    expect([refusal.code, refusal.message]).toEqual([
      "refused",
      expect.stringContaining("permission"),
    ]);
    const html: Fetch = () => Promise.resolve(new Response("<html>", { status: 502 }));
    expect((await refusalOf(run(html, { spec: specOf("hello") }))).message).toContain("502");
    const nobody: Fetch = () => Promise.reject(new Error("connection refused"));
    const unreachable = await refusalOf(run(nobody, { spec: specOf("hello") }));
    expect([unreachable.code, unreachable.message]).toEqual([
      "unreachable",
      "Cannot reach http://door: connection refused",
    ]);
  });

  test("a server that is away for a moment does not end the following", async () => {
    await using world = openApiWorld();
    const fetch = fetchFrom(world);
    let graphs = 0;
    const flaky: Fetch = (url, init) => {
      if (url.endsWith("/graph")) graphs += 1;
      return graphs === 1 ? Promise.reject(new Error("connection reset")) : fetch(url, init);
    };
    expect((await run(flaky, { spec: specOf("hello") })).exitCode).toBe(0);
  });

  test("aborting ends the following and not the run", async () => {
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    await using world = openApiWorld({
      step: async (request, log, signal) => {
        started.resolve();
        await gate.promise;
        return succeed(request, log, signal);
      },
    });
    const abort = new AbortController();
    const following = run(fetchFrom(world), { spec: specOf("hello") }, { signal: abort.signal });
    await started.promise;
    abort.abort(new Error("interrupted"));
    const reason: unknown = await following.catch((error: unknown) => error);
    expect(reason).toEqual(new Error("interrupted"));
    const [made] = (await world.call("GET", "/apis/v2beta1/runs")).body.runs;
    gate.resolve();
    expect((await world.engine.waitForRun(made.run_id)).state).toBe("SUCCEEDED");
  });

  test("a terminal's table is drawn over itself", async () => {
    await using world = openApiWorld();
    const spec = specOf("hello", ["one", "two"]);
    const { output } = await run(fetchFrom(world), { spec }, { isTerminal: true });
    expect(output).toContain("✓ one");
    expect(output).toContain("✓ two");
  });
});
