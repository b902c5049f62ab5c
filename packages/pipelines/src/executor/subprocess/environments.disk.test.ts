import { expect, test } from "bun:test";
import { zipSync } from "fflate";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLog } from "@kelp/base";
import { systemClock, systemFiles, systemHashes, systemProcesses } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { TaskError } from "../../errors.ts";
import type { StepLog } from "../executor.ts";
import { Environments, type EnvironmentsOptions } from "./environments.ts";

const python = process.env["KELP_TEST_PYTHON"];
const { signal } = new AbortController();

function environments(folder: string, packages: EnvironmentsOptions["packages"]): Environments {
  const deps = {
    processes: systemProcesses,
    files: systemFiles,
    hashes: systemHashes,
    clock: systemClock,
    log: silentLog,
  };
  return new Environments(deps, {
    folder: join(folder, "environments"),
    python: python ?? "python3",
    packages,
    buildEnvironment: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      PIP_NO_INDEX: "1",
      PIP_FIND_LINKS: folder,
    },
  });
}

/** The smallest wheel there is: one module. */
function writeWheel(folder: string, name: string, version: string): void {
  const info = `${name}-${version}.dist-info`;
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  const wheel = zipSync({
    [`${name}.py`]: text(`VERSION = "${version}"\n`),
    [`${info}/METADATA`]: text(`Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`),
    [`${info}/WHEEL`]: text(
      "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    ),
    [`${info}/RECORD`]: text(
      `${name}.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`,
    ),
  });
  writeFileSync(join(folder, `${name}-${version}-py3-none-any.whl`), wheel);
}

class Notes implements StepLog {
  readonly lines: string[] = [];
  write(bytes: Uint8Array): void {
    this.lines.push(Buffer.from(bytes).toString());
  }
  note(text: string): void {
    this.lines.push(text);
  }
  tail(): readonly string[] {
    return this.lines;
  }
}

const needs = (...requirements: readonly string[]): Parameters<Environments["prepare"]>[0] => ({
  requirements,
  pipOptions: [],
  command: ["true"],
});

async function printed(executable: string, code: string): Promise<string> {
  const child = Bun.spawn([executable, "-c", code], { stdout: "pipe", stderr: "inherit" });
  return (await new Response(child.stdout).text()).trim();
}

test.skipIf(python === undefined)(
  "what the base meets needs no environment, whatever kfp 2 is pinned",
  async () => {
    using folder = temporaryFolder();
    const pool = environments(folder.path, "installed-first");
    const found = await pool.prepare(
      needs("kfp==2.3.0", 'typing-extensions<1; python_version<"3.9"'),
      new Notes(),
      signal,
    );
    expect(found).toEqual(await pool.base());
  },
);

test.skipIf(python === undefined)(
  "an environment on the base holds what is missing and sees what is there",
  async () => {
    using folder = temporaryFolder();
    writeWheel(folder.path, "kelp_test_module", "1.2");
    const pool = environments(folder.path, "installed-first");
    const notes = new Notes();
    const wanted = needs("kfp==2.3.0", "kelp-test-module>=1");
    const [first, second] = await Promise.all([
      pool.prepare(wanted, notes, signal),
      pool.prepare(wanted, new Notes(), signal),
    ]);
    expect(second).toEqual(first);
    const code =
      "import kelp_test_module, importlib.metadata as m; print(kelp_test_module.VERSION, m.version('kfp')[0])";
    expect(await printed(first.interpreter.executable, code)).toBe("1.2 2");
    expect(notes.lines.some((line) => line.startsWith("preparing a Python environment"))).toBe(
      true,
    );
    const again = environments(folder.path, "installed-first");
    const later = new Notes();
    expect(await again.prepare(wanted, later, signal)).toEqual(first);
    expect(later.lines).toEqual([]);
  },
  60_000,
);

test.skipIf(python === undefined)(
  "a failed build fails the step, says why, and is not kept",
  async () => {
    using folder = temporaryFolder();
    const pool = environments(folder.path, "installed-first");
    const wanted = needs("no-such-distribution-of-kelp");
    const failure = await pool
      .prepare(wanted, new Notes(), signal)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TaskError);
    // The first line is all that the run's own error shows.
    expect(String(failure).split("\n")[0]).toContain("no-such-distribution-of-kelp");
    const left = readdirSync(join(folder.path, "environments"));
    expect(left.filter((name) => !name.startsWith("bin-"))).toEqual([]);
  },
  60_000,
);

test("a Python that does not exist is named", async () => {
  using folder = temporaryFolder();
  const deps = {
    processes: systemProcesses,
    files: systemFiles,
    hashes: systemHashes,
    clock: systemClock,
    log: silentLog,
  };
  const pool = new Environments(deps, {
    folder: join(folder.path, "e"),
    python: "no-such-python",
    packages: "install",
    buildEnvironment: { PATH: "/usr/bin" },
  });
  expect(String(await pool.base().catch((error: unknown) => error))).toContain("no no-such-python");
  expect(existsSync(join(folder.path, "e", "complete"))).toBe(false);
});
