import { expect, test } from "bun:test";
import { runCli } from "../testing/running-server.ts";

test("options reach the suites, and what they cannot use is refused with a sentence", async () => {
  const options = ["--creates", "5", "--entries", "7", "--jobs", "scrub", "--rounds", "2"];
  const unknown = await runCli(["bench", "none", ...options]);
  expect(unknown.status).toBe(2);
  expect(unknown.stdout + unknown.stderr).toContain("There is no suite none: choose of store");
  const wrong = await runCli(["bench", "none", "--creates", "many"]);
  expect(wrong.status).toBe(2);
  expect(wrong.stdout + wrong.stderr).toContain("--creates takes a count");
  const nobody = await runCli(["bench", "none", "--peer", "minio=http://127.0.0.1:1,key,secret"]);
  expect(nobody.status).toBe(2);
  expect(nobody.stdout + nobody.stderr).toContain("Nobody listens on port 1 of this machine");
});
