import { expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@kelp/base/testing";
import { repositoryPath } from "./repository.ts";

/** A checkout in small: the real start script, a CLI that prints its arguments, nothing to download. */
function smallCheckout(parent: string): string {
  const root = join(parent, "a checkout");
  mkdirSync(join(root, "services/cli/src"), { recursive: true });
  copyFileSync(repositoryPath("kelp"), join(root, "kelp"));
  chmodSync(join(root, "kelp"), 0o755);
  writeFileSync(join(root, "bunfig.toml"), "");
  const manifest = { name: "small", private: true, workspaces: ["services/*"] };
  writeFileSync(join(root, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(root, "services/cli/package.json"), '{ "name": "small-cli" }');
  const main =
    "process.stdout.write(JSON.stringify({ args: process.argv.slice(2), env: process.env.FROM_DOTENV }));";
  writeFileSync(join(root, "services/cli/src/main.ts"), main);
  spawnSync(process.execPath, ["install"], { cwd: root });
  rmSync(join(root, "node_modules"), { recursive: true, force: true });
  return root;
}

const ENVIRONMENT = { PATH: "/usr/bin:/bin", KELP_BUN: process.execPath };

function start(
  script: string,
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(script, args, {
    cwd: options.cwd,
    env: options.env ?? ENVIRONMENT,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("starts through a link, from another folder, with spaces in paths and arguments", () => {
  using folder = temporaryFolder();
  const root = smallCheckout(folder.path);
  mkdirSync(join(folder.path, "bin"));
  symlinkSync("../a checkout/kelp", join(folder.path, "bin/kelp"));
  const result = start(join(folder.path, "bin/kelp"), ["a b", "$c", ""], { cwd: "/" });
  expect(JSON.parse(result.stdout)).toEqual({ args: ["a b", "$c", ""] });
  expect(existsSync(join(root, ".kelp/lock"))).toBe(false);
});

test("a second start prepares nothing", () => {
  using folder = temporaryFolder();
  const root = smallCheckout(folder.path);
  const first = start(join(root, "kelp"), [], { cwd: root });
  const second = start(join(root, "kelp"), [], { cwd: root });
  expect(first.stderr).toContain("installing dependencies");
  expect(second).toEqual({ status: 0, stdout: '{"args":[]}', stderr: "" });
});

test("settings of the user's folder do not apply", () => {
  using folder = temporaryFolder();
  const root = smallCheckout(folder.path);
  const elsewhere = join(folder.path, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, ".env"), "FROM_DOTENV=leaked\n");
  writeFileSync(join(elsewhere, "bunfig.toml"), 'preload = ["./not-there.ts"]\n');
  const result = start(join(root, "kelp"), [], { cwd: elsewhere });
  expect(result.stdout).toBe('{"args":[]}');
});

test("the collector is told of a smaller machine, unless the user has told it something, or another Bun is used", () => {
  using folder = temporaryFolder();
  const root = smallCheckout(folder.path);
  const main = "process.stdout.write(process.env.BUN_JSC_forceRAMSize ?? 'nothing');";
  writeFileSync(join(root, "services/cli/src/main.ts"), main);
  const told = (env: Record<string, string>): string =>
    start(join(root, "kelp"), [], { cwd: root, env: { ...ENVIRONMENT, ...env } }).stdout;
  const newer = join(folder.path, "newer-bun");
  writeFileSync(
    newer,
    `#!/bin/sh\n[ "$1" = --version ] && echo 9.0.0 || exec ${process.execPath} "$@"\n`,
  );
  chmodSync(newer, 0o755);
  expect(told({})).toBe("8589934592");
  expect(told({ BUN_JSC_forceRAMSize: "1000000000" })).toBe("1000000000");
  expect(told({ KELP_BUN: newer })).toBe("nothing");
});

test("of many first starts at once one prepares and all succeed", async () => {
  using folder = temporaryFolder();
  const root = smallCheckout(folder.path);
  const results = await Promise.all(
    Array.from({ length: 5 }, () => startAside(join(root, "kelp"))),
  );
  expect(results.map((result) => result.stdout)).toEqual(Array(5).fill('{"args":[]}'));
  const prepared = results.filter((result) => result.stderr.includes("installing dependencies"));
  expect(prepared).toHaveLength(1);
});

test("a lock whose owner is gone is broken", () => {
  using folder = temporaryFolder();
  const root = smallCheckout(folder.path);
  mkdirSync(join(root, ".kelp/lock"), { recursive: true });
  const gone = spawnSync("/bin/sh", ["-c", "echo $$"], { encoding: "utf8" }).stdout.trim();
  writeFileSync(join(root, ".kelp/lock/pid"), gone);
  expect(start(join(root, "kelp"), [], { cwd: root }).status).toBe(0);
});

test("a Bun that is named but too old, or none, is refused in one line", () => {
  using folder = temporaryFolder();
  const root = smallCheckout(folder.path);
  const old = join(folder.path, "old-bun");
  writeFileSync(old, "#!/bin/sh\necho 1.4.3\n");
  chmodSync(old, 0o755);
  const env = { PATH: "/usr/bin:/bin", KELP_BUN: old };
  const result = start(join(root, "kelp"), [], { cwd: root, env });
  expect(result.status).toBe(1);
  expect(result.stderr).toBe(`kelp: KELP_BUN is ${old}, which is not Bun 1.4.4 or newer\n`);
});

test("without Bun and npm it says what to install", () => {
  using folder = temporaryFolder();
  const root = smallCheckout(folder.path);
  const bin = join(folder.path, "few");
  mkdirSync(bin);
  for (const program of ["dirname", "readlink", "mkdir", "rm", "cat", "uname", "cmp", "find"]) {
    const found = Bun.which(program);
    if (found !== null) symlinkSync(found, join(bin, program));
  }
  const result = start(join(root, "kelp"), [], { cwd: root, env: { PATH: bin } });
  expect(result.status).toBe(1);
  expect(result.stderr).toContain("install Bun (https://bun.sh) or Node.js with npm");
  expect(result.stderr.trim().split("\n")).toHaveLength(1);
});

function startAside(script: string): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(script, [], { cwd: "/", env: ENVIRONMENT });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", () => resolve({ stdout, stderr }));
  });
}
