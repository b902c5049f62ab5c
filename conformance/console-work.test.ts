import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "./harness/browser.ts";
import { KelpServer } from "./harness/kelp-server.ts";
import { CHROMIUM } from "./harness/programs.ts";

/** A day's work in the console, by a person who has to sign in: the page does what the buttons say. */
const OUT = join(import.meta.dirname, "out");
const TEST_MS_MAX = 60_000;
let server: KelpServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  mkdirSync(OUT, { recursive: true });
  server = await KelpServer.start({ flags: ["--auth.local-user", "off"] });
  if (CHROMIUM === undefined) return;
  browser = await launchBrowser();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: "dark" });
  page.setDefaultTimeout(20_000);
}, TEST_MS_MAX);

afterAll(async () => {
  await browser?.close();
  await server[Symbol.asyncDispose]();
});

const inBrowser = test.skipIf(CHROMIUM === undefined);

inBrowser(
  "without credentials there is only the sign-in page; a wrong secret is refused, the right one lets in",
  async () => {
    await page.goto(`${server.consoleUrl}/#/buckets`);
    await page.getByTestId("sign-in-access-key").fill(server.credentials.access_key);
    await page.getByTestId("sign-in-secret-key").fill("not-the-secret");
    await page.getByTestId("sign-in-submit").click();
    await page.getByTestId("error-note").waitFor();
    await page.screenshot({ path: join(OUT, "sign-in.png") });
    await page.getByTestId("sign-in-secret-key").fill(server.credentials.secret_key);
    await page.getByTestId("sign-in-submit").click();
    await page.getByRole("main").getByText("mlpipeline").waitFor();
  },
  TEST_MS_MAX,
);

inBrowser(
  "a bucket is made, a file uploaded, previewed and deleted",
  async () => {
    await page.goto(`${server.consoleUrl}/#/buckets`);
    await page.getByTestId("create-bucket").click();
    await page.getByTestId("bucket-name").fill("by-hand");
    await page.getByTestId("bucket-submit").click();
    await page.getByRole("main").getByText("by-hand").first().click();
    await page.getByTestId("objects-page").waitFor();
    await page
      .locator('input[type="file"]')
      .first()
      .setInputFiles({
        name: "people.csv",
        mimeType: "text/csv",
        buffer: Buffer.from("name,age\nAda,36\nAlan,41\n"),
      });
    await page.getByTestId("object-name").filter({ hasText: "people.csv" }).click();
    await page.getByTestId("object-drawer").getByText("Alan").waitFor();
    await page.screenshot({ path: join(OUT, "object-preview.png") });
    await page.keyboard.press("Escape");
    await page.getByTestId("object-actions").first().click();
    await page.getByTestId("delete-object").click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByTestId("empty-state").waitFor();
  },
  TEST_MS_MAX,
);

inBrowser(
  "a bucket gets quotas of bytes and of objects, and snapshots are made and deleted",
  async () => {
    const api = async (path: string): Promise<unknown> => {
      const authorization = `Bearer ${server.credentials.console_token}`;
      const answer = await fetch(`${server.consoleUrl}/api/v1/buckets/by-hand${path}`, {
        headers: { authorization },
      });
      return await answer.json();
    };
    await page.goto(`${server.consoleUrl}/#/buckets`);
    const actions = page.getByRole("button", { name: "Actions of by-hand" });
    await actions.click();
    await page.getByRole("menuitem", { name: "Set quota" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Most that the bucket may hold, in GiB").fill("1");
    await dialog.getByLabel("Most objects that it may hold").fill("5");
    await dialog.getByRole("button", { name: "Save" }).click();
    const row = page.getByRole("row").filter({ hasText: "by-hand" });
    await row.getByText("of 5", { exact: true }).waitFor();
    await row.getByText("of 1.00 GiB", { exact: true }).waitFor();
    expect(await api("")).toMatchObject({ quota_bytes: 1024 ** 3, quota_objects: 5 });

    await actions.click();
    await page.getByRole("menuitem", { name: "Snapshots" }).click();
    await page.getByTestId("snapshots").getByTestId("empty-state").waitFor();
    await dialog.getByLabel("Name of a new snapshot").fill("monday");
    await dialog.getByRole("button", { name: "Make snapshot" }).click();
    const remove = dialog.getByRole("button", { name: "Delete snapshot monday" });
    await remove.waitFor();
    await page.screenshot({ path: join(OUT, "snapshots.png") });
    expect(await api("/snapshots")).toMatchObject({ snapshots: [{ name: "monday" }] });
    // A name that is taken is refused, in a sentence.
    await dialog.getByLabel("Name of a new snapshot").fill("monday");
    await dialog.getByRole("button", { name: "Make snapshot" }).click();
    await dialog.getByTestId("error-note").waitFor();
    await remove.click();
    await page.getByTestId("snapshots").getByTestId("empty-state").waitFor();
    expect(await api("/snapshots")).toEqual({ snapshots: [] });
    await page.keyboard.press("Escape");
  },
  TEST_MS_MAX,
);

inBrowser(
  "a pipeline is uploaded and run; its log is live; stopping ends it and retrying starts it again",
  async () => {
    await page.goto(`${server.consoleUrl}/#/pipelines`);
    await page.getByTestId("upload-pipeline").first().click();
    await page
      .locator('input[type="file"]')
      .first()
      .setInputFiles(join(import.meta.dirname, "fixtures", "shell-wait.yaml"));
    await page.getByTestId("pipeline-submit").click();
    await page.getByTestId("pipeline-page").waitFor();
    await page.getByText("Create run").first().click();
    await page.getByTestId("start-run").click();

    const state = page.getByTestId("run-state");
    await page.locator('[data-testid="task-node"][data-state="RUNNING"]').first().click();
    await page.getByTestId("log-tab").click();
    await page.getByTestId("task-log").getByText("waiting for 60 seconds").waitFor();
    await page.screenshot({ path: join(OUT, "run-live.png") });

    await page.getByTestId("terminate-run").click();
    await page.locator('[data-testid="run-state"][data-state="FAILED"]').first().waitFor();
    expect(await state.first().getAttribute("data-state")).toBe("FAILED");
    await page.getByTestId("retry-run").click();
    await page.locator('[data-testid="task-node"][data-state="RUNNING"]').first().waitFor();
    await page.getByTestId("terminate-run").click();
    await page.locator('[data-testid="run-state"][data-state="FAILED"]').first().waitFor();
  },
  TEST_MS_MAX,
);

inBrowser(
  "an identity is made with a key whose secret is shown once, and the key works for S3",
  async () => {
    await page.goto(`${server.consoleUrl}/#/keys`);
    await page.getByTestId("create-identity").first().click();
    await page.getByTestId("identity-name").fill("reader");
    await page.getByTestId("identity-actions").click();
    await page.keyboard.type("Read,List,");
    await page.keyboard.press("Tab");
    await page.getByTestId("identity-submit").click();
    await page.getByTestId("create-key").click();
    const accessKey = await page.getByTestId("new-access-key").innerText();
    const secretKey = await page.getByTestId("new-secret-key").innerText();
    const client = new Bun.S3Client({
      endpoint: server.s3Url,
      bucket: "by-hand",
      accessKeyId: accessKey.trim(),
      secretAccessKey: secretKey.trim(),
    });
    expect((await client.list()).keyCount).toBe(0);
    const refusal = await client.write("not-mine", "x").catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "AccessDenied" });
  },
  TEST_MS_MAX,
);
