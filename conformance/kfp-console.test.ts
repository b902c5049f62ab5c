import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "./harness/browser.ts";
import { KelpServer } from "./harness/kelp-server.ts";
import { CHROMIUM, PYTHON, mustRun, pythonScript } from "./harness/programs.ts";

/**
 * The unmodified `kfp` SDK compiles, uploads and runs a pipeline; a browser then sees the run: graph green, log shown,
 * artifact previewed. Screenshots are kept in `conformance/out`.
 */
const MINUTES = 60_000;
const OUT = join(import.meta.dirname, "out");
let server: KelpServer;
let browser: Browser | undefined;
let ids: { readonly run_id: string; readonly pipeline_id: string } | undefined;

beforeAll(async () => {
  mkdirSync(OUT, { recursive: true });
  server = await KelpServer.start({ flags: ["--pipelines.python", PYTHON ?? "python3"] });
  if (CHROMIUM === undefined) return;
  browser = await launchBrowser();
}, 2 * MINUTES);

afterAll(async () => {
  await browser?.close();
  await server[Symbol.asyncDispose]();
});

test.skipIf(PYTHON === undefined)(
  "the SDK uploads and runs a pipeline with artifacts, condition, loop and exit handler",
  async () => {
    const output = await mustRun(PYTHON ?? "", [pythonScript("kfp_everything.py")], {
      env: server.clientEnvironment,
    });
    ids = JSON.parse(output.trim().split("\n").at(-1) ?? "");
    expect(ids?.run_id).toBeString();
  },
  6 * MINUTES,
);

test.skipIf(PYTHON === undefined || CHROMIUM === undefined)(
  "the run page shows every task done, a step's log and its artifact",
  async () => {
    const page = await openPage(`/#/runs/details/${ids?.run_id}`);
    const node = (name: string) =>
      page.locator(`[data-testid="task-node"][data-task-name="${name}"]`).first();
    await node("add").waitFor();
    const states = await page
      .locator('[data-testid="task-node"]')
      .evaluateAll((nodes) => nodes.map((item) => item.getAttribute("data-state")));
    expect(new Set(states).difference(new Set(["SUCCEEDED", "SKIPPED"])).size).toBe(0);
    await page.screenshot({ path: join(OUT, "run-graph.png") });
    await page.goto(`${server.consoleUrl}/#/runs/details/${ids?.run_id}`);
    await revealTask(page, "make-report");
    await page.getByTestId("log-tab").click();
    await page.getByTestId("task-log").getByText("making the report").waitFor();
    await page.screenshot({ path: join(OUT, "run-log.png") });
    await page.getByRole("tab", { name: "Inputs and outputs" }).click();
    await page.getByTestId("preview-artifact").last().click();
    await page.getByTestId("artifact-preview").getByText("row 3").waitFor();
    await page.screenshot({ path: join(OUT, "run-artifact.png") });
    await page.close();
  },
  2 * MINUTES,
);

test.skipIf(CHROMIUM === undefined)(
  "the console asks no other host and shows buckets and runs",
  async () => {
    const foreign: string[] = [];
    const page = await openPage("/", (url) => foreign.push(url));
    for (const [path, text] of [
      ["/#/buckets", "mlpipeline"],
      ["/#/runs", "New run"],
      ["/#/pipelines", "Upload pipeline"],
      ["/#/experiments", "Create experiment"],
      ["/#/keys", "Create identity"],
    ] as const) {
      await page.goto(server.consoleUrl + path);
      await page.getByRole("main").getByText(text).first().waitFor();
    }
    await page.screenshot({ path: join(OUT, "access-keys.png") });
    await page.close();
    expect(foreign).toEqual([]);
  },
  MINUTES,
);

async function openPage(path: string, onForeign?: (url: string) => void): Promise<Page> {
  if (browser === undefined) throw new Error("no browser");
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.on("request", (request) => {
    const url = request.url();
    if (url.startsWith("http") && !url.startsWith(server.consoleUrl)) onForeign?.(url);
  });
  await page.goto(server.consoleUrl + path);
  return page;
}

async function revealTask(page: Page, name: string): Promise<void> {
  const node = page.locator(`[data-testid="task-node"][data-task-name="${name}"]`).first();
  await node.waitFor();
  await node.click();
}
