import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

test("a reader that stops reading is no error", async () => {
  const main = join(import.meta.dirname, "main.ts");
  const child = spawn(process.execPath, ["--no-env-file", main, "--help"]);
  child.stdout.destroy();
  let told = "";
  child.stderr.on("data", (piece: Buffer) => {
    told += piece.toString();
  });
  const [status] = await once(child, "close");
  expect({ status, told }).toEqual({ status: 0, told: "" });
});
