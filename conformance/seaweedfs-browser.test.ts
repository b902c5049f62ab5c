import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "./harness/browser.ts";
import { KelpServer } from "./harness/kelp-server.ts";
import { CHROMIUM } from "./harness/programs.ts";

/** The pages of master, volumes and filer in a browser of the user who started the server: let in without signing in. */
const OUT = join(import.meta.dirname, "out");
const TEST_MS_MAX = 60_000;
let server: KelpServer;
let browser: Browser;
let page: Page;
let elsewhere: Server;

beforeAll(async () => {
  if (CHROMIUM === undefined) return;
  mkdirSync(OUT, { recursive: true });
  server = await KelpServer.start();
  browser = await launchBrowser();
  page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  elsewhere = createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(request.url === "/attack" ? attackPage() : "ok");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
}, TEST_MS_MAX);

afterAll(async () => {
  elsewhere?.close();
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

const inBrowser = test.skipIf(CHROMIUM === undefined);

inBrowser(
  "a person browses folders, uploads a file and opens it",
  async () => {
    for (const name of ["notes/a.txt", "notes/deep/b.txt"]) {
      await fetch(`${server.filerUrl}/${name}`, { method: "PUT", body: `content of ${name}` });
    }
    await page.goto(`${server.filerUrl}/`);
    await page.getByRole("link", { name: "notes/" }).click();
    await page.getByRole("link", { name: "deep/" }).waitFor();
    await page.locator('input[type="file"]').setInputFiles({
      name: "up load.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("uploaded"),
    });
    await page.getByRole("button", { name: "Upload" }).click();
    await page.getByText('"size":8').waitFor();
    await page.goto(`${server.filerUrl}/notes/`);
    await page.screenshot({ path: join(OUT, "filer.png") });
    await page.getByRole("link", { name: "up load.txt" }).click();
    await page.getByText("uploaded").waitFor();
  },
  TEST_MS_MAX,
);

inBrowser(
  "the pages of master and volume server show version, disks and volumes",
  async () => {
    for (const url of [`${server.masterUrl}/`, `${server.volumeUrl}/ui/index.html`]) {
      await page.goto(url);
      await page.getByText("Version").waitFor();
      await page.getByRole("heading", { name: "Disks" }).waitFor();
      await page.getByRole("heading", { name: "Volumes" }).waitFor();
    }
  },
  TEST_MS_MAX,
);

inBrowser(
  "a stored page runs nothing, whatever it says it is",
  async () => {
    const hostile = `<h1>stored</h1><script>fetch("/stolen", {method: "PUT", body: "x"}); document.title = "ran"</script><img src=x onerror="document.title='ran'">`;
    for (const [name, type] of [
      ["page.html", "text/html"],
      ["drawing.svg", "image/svg+xml"],
      ["page.xhtml", "application/xhtml+xml"],
    ] as const) {
      const svg = `<svg xmlns="http://www.w3.org/2000/svg"><script>fetch("/stolen",{method:"PUT",body:"x"})</script></svg>`;
      const body = name === "page.html" ? hostile : svg;
      const init = { method: "PUT", body, headers: { "content-type": type } };
      await fetch(`${server.filerUrl}/hostile/${name}`, init);
      await page.goto(`${server.filerUrl}/hostile/${name}`);
      expect(await page.title()).not.toBe("ran");
    }
    // Had a script run, its request would have been sent before these answers came.
    await page.goto(`${server.filerUrl}/hostile/`);
    expect((await fetch(`${server.filerUrl}/stolen`)).status).toBe(404);
  },
  TEST_MS_MAX,
);

function attackPage(): string {
  const { filerUrl, masterUrl, volumeUrl } = server;
  return `<!doctype html><title>attack</title><script>
    const tries = [
      fetch("${filerUrl}/notes/a.txt"),
      fetch("${filerUrl}/notes/a.txt", {mode: "no-cors", method: "POST", body: "overwritten"}),
      fetch("${masterUrl}/col/delete?collection=precious", {mode: "no-cors"}),
      fetch("${masterUrl}/vol/grow?count=5&collection=grown", {mode: "no-cors"}),
      fetch("${volumeUrl}/status", {mode: "no-cors"}),
    ];
    Promise.allSettled(tries).then((all) => { document.title = "done " + all[0].status; });
  </script><a id="link" href="${masterUrl}/vol/grow?count=5&collection=linked">a kitten</a>`;
}

inBrowser(
  "a page of another site changes and learns nothing, also by a link that is followed",
  async () => {
    await fetch(`${server.filerUrl}/notes/a.txt`, { method: "PUT", body: "precious" });
    const { port } = elsewhere.address() as AddressInfo;
    await page.goto(`http://localhost:${port}/attack`);
    await page.waitForFunction(`document.title.startsWith("done")`);
    expect(await page.title()).toBe("done rejected");
    await page.locator("#link").click();
    await page.getByText("another site").waitFor();
    expect(await (await fetch(`${server.filerUrl}/notes/a.txt`)).text()).toBe("precious");
    const status = await (await fetch(`${server.masterUrl}/dir/status`)).text();
    expect(status).not.toContain("grown");
    expect(status).not.toContain("linked");
  },
  TEST_MS_MAX,
);
