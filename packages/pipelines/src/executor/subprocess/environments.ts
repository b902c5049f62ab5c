import {
  type Clock,
  type Hashes,
  type LocalFiles,
  type Log,
  type Processes,
  hex,
  must,
} from "@kelp/base";
import { TaskError } from "../../errors.ts";
import type { StepLog } from "../executor.ts";
import { type Interpreter, describeInterpreter, unmetRequirements } from "./interpreter.ts";
import type { PythonCommand } from "./python-command.ts";
import { runProgram } from "./run-program.ts";

export interface EnvironmentsDeps {
  readonly processes: Processes;
  readonly files: LocalFiles;
  readonly hashes: Hashes;
  readonly clock: Clock;
  readonly log: Log;
}

export interface EnvironmentsOptions {
  /** Holds one folder per set of requirements. */
  readonly folder: string;
  /** The base interpreter: a path, or a name to be found on PATH. */
  readonly python: string;
  /**
   * `installed-first`: what the base interpreter has is used where it meets the requirements, and built upon where it
   * does not. `install`: every set of requirements gets an environment of its own.
   */
  readonly packages: "installed-first" | "install";
  /** Environment of the programs that build, such as `PIP_INDEX_URL`. */
  readonly buildEnvironment: Readonly<Record<string, string>>;
}

/** A Python to run a step with. */
export interface PythonEnvironment {
  /** First on the step's PATH. */
  readonly binFolder: string;
  readonly interpreter: Interpreter;
}

/** Requirement sets remembered as met by the base interpreter. */
const KNOWN_SETS_MAX = 1000;
/** How long a lock is waited for between looks at it. */
const LOCK_POLL_MS = 200;

/**
 * Virtual environments by requirement set. Each is built once, by one process, and never changed afterwards: the file
 * `complete` is written last, and an environment without it is rubbish. It is not built elsewhere and renamed,
 * since the scripts in a virtual environment name their own folder.
 */
export class Environments {
  readonly #deps: EnvironmentsDeps;
  readonly #options: EnvironmentsOptions;
  readonly #ready = new Map<string, PythonEnvironment>();
  readonly #building = new Map<string, Promise<void>>();
  #base: Promise<PythonEnvironment> | undefined;

  constructor(deps: EnvironmentsDeps, options: EnvironmentsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The base interpreter as it is. Asked once for all steps, so no step's signal ends it. @throws TaskError */
  async base(): Promise<PythonEnvironment> {
    this.#base ??= this.#describeBase();
    try {
      return await this.#base;
    } catch (error) {
      this.#base = undefined;
      throw error;
    }
  }

  /** An environment that meets what a step installs. Progress goes to the step's log. @throws TaskError */
  async prepare(
    command: PythonCommand,
    log: StepLog,
    signal: AbortSignal,
  ): Promise<PythonEnvironment> {
    const base = await this.base();
    const key = this.#key(command, base.interpreter);
    for (;;) {
      const ready = this.#ready.get(key);
      if (ready !== undefined) return ready;
      signal.throwIfAborted();
      const building = this.#building.get(key);
      if (building === undefined) return this.#prepareOnce(key, base, command, log, signal);
      log.note("waiting for another step that prepares the same Python environment");
      await building;
    }
  }

  async #prepareOnce(
    key: string,
    base: PythonEnvironment,
    command: PythonCommand,
    log: StepLog,
    signal: AbortSignal,
  ): Promise<PythonEnvironment> {
    const done = Promise.withResolvers<void>();
    this.#building.set(key, done.promise);
    try {
      const found = await this.#find(key, base, command, log, signal);
      if (this.#ready.size >= KNOWN_SETS_MAX) this.#ready.clear();
      this.#ready.set(key, found);
      return found;
    } finally {
      // Who waited looks again: after a failure or a cancellation the next one tries with its own log.
      this.#building.delete(key);
      done.resolve();
    }
  }

  async #describeBase(): Promise<PythonEnvironment> {
    await this.#deps.files.makeFolder(this.#options.folder);
    const interpreter = await describeInterpreter(this.#asking(), this.#options.python);
    return { binFolder: await this.#binFolder(interpreter), interpreter };
  }

  /**
   * A folder with `python3` and `python`. Usually the interpreter's own; where a name is missing there, a folder of
   * small scripts, since a link to an interpreter of a virtual environment would not find its packages.
   */
  async #binFolder(interpreter: Interpreter): Promise<string> {
    const own = interpreter.executable.slice(0, interpreter.executable.lastIndexOf("/"));
    const names = ["python3", "python"];
    const there = await Promise.all(
      names.map((name) => this.#deps.files.describe(`${own}/${name}`)),
    );
    if (there.every((kind) => kind !== undefined)) return own;
    const folder = `${this.#options.folder}/bin-${this.#hash(interpreter.executable).slice(0, 16)}`;
    const script = `#!/bin/sh\nexec '${interpreter.executable.replaceAll("'", `'\\''`)}' "$@"\n`;
    for (const name of names) {
      await this.#deps.files.writeText(`${folder}/${name}`, script, { mode: 0o755 });
    }
    return folder;
  }

  async #find(
    key: string,
    base: PythonEnvironment,
    command: PythonCommand,
    log: StepLog,
    signal: AbortSignal,
  ): Promise<PythonEnvironment> {
    const { requirements } = command;
    if (this.#options.packages === "install") {
      return this.#build(key, base, { ...command, isOnBase: false }, log, signal);
    }
    const asking = this.#asking();
    const unmet = await unmetRequirements(asking, base.interpreter, requirements, signal);
    if (unmet.length === 0) return base;
    // With kfp in the base, the environment stands on it and only the rest is installed.
    const isOnBase = !unmet.some((requirement) => /^kfp\b/.test(requirement));
    const needed = { ...command, requirements: isOnBase ? unmet : requirements, isOnBase };
    return this.#build(key, base, needed, log, signal);
  }

  async #build(
    key: string,
    base: PythonEnvironment,
    needed: PythonCommand & { readonly isOnBase: boolean },
    log: StepLog,
    signal: AbortSignal,
  ): Promise<PythonEnvironment> {
    const folder = `${this.#options.folder}/${key}`;
    const made: PythonEnvironment = {
      binFolder: `${folder}/bin`,
      interpreter: { ...base.interpreter, executable: `${folder}/bin/python3` },
    };
    const { files } = this.#deps;
    if ((await files.describe(`${folder}/complete`)) !== undefined) return made;
    await this.#lock(`${folder}.lock`, log, signal);
    try {
      if ((await files.describe(`${folder}/complete`)) !== undefined) return made;
      await files.removeTree(folder);
      const startMs = this.#deps.clock.monotonicMs();
      log.note(`preparing a Python environment with ${needed.requirements.join(", ")}`);
      await this.#install(folder, base, needed, log, signal);
      await files.writeText(`${folder}/complete`, `${needed.requirements.join("\n")}\n`);
      const seconds = (this.#deps.clock.monotonicMs() - startMs) / 1000;
      log.note(
        `the Python environment is ready after ${seconds.toFixed(1)} s; later steps use it as it is`,
      );
      return made;
    } catch (error) {
      await files.removeTree(folder);
      throw error;
    } finally {
      await files.removeTree(`${folder}.lock`);
    }
  }

  async #install(
    folder: string,
    base: PythonEnvironment,
    needed: PythonCommand & { readonly isOnBase: boolean },
    log: StepLog,
    signal: AbortSignal,
  ): Promise<void> {
    const { executable, packageFolders, version } = base.interpreter;
    const python = `${folder}/bin/python3`;
    const uv = this.#deps.processes.find("uv", this.#options.buildEnvironment["PATH"] ?? "");
    const usesUv = uv !== undefined && !needed.isOnBase;
    if (usesUv) {
      await this.#runBuilder([uv, "venv", "--quiet", "--python", executable, folder], log, signal);
    } else {
      const extra = needed.isOnBase ? ["--without-pip"] : [];
      await this.#runBuilder([executable, "-m", "venv", ...extra, folder], log, signal);
    }
    if (needed.isOnBase) {
      // The base's packages, also where the base is a virtual environment itself: those do not nest.
      const library = `${folder}/lib/python${version.split(".").slice(0, 2).join(".")}/site-packages`;
      await this.#deps.files.writeText(`${library}/base.pth`, `${packageFolders.join("\n")}\n`);
    }
    const pip = usesUv
      ? [uv, "pip", "install", "--python", python]
      : [
          python,
          "-m",
          "pip",
          "install",
          "--no-warn-script-location",
          "--disable-pip-version-check",
        ];
    const isKfp = (requirement: string): boolean => /^kfp\s*[=<>!~;[]|^kfp$/.test(requirement);
    const alone = needed.requirements.filter(isKfp);
    const rest = needed.requirements.filter((requirement) => !isKfp(requirement));
    // The compiler installs kfp without its dependencies; a step needs none of them.
    if (alone.length > 0) {
      await this.#runBuilder([...pip, "--no-deps", ...needed.pipOptions, ...alone], log, signal);
    }
    if (rest.length > 0)
      await this.#runBuilder([...pip, ...needed.pipOptions, ...rest], log, signal);
  }

  async #runBuilder(argv: readonly string[], log: StepLog, signal: AbortSignal): Promise<void> {
    const { processes } = this.#deps;
    const environment = this.#options.buildEnvironment;
    const { folder } = this.#options;
    const onOutput = (bytes: Uint8Array): void => log.write(bytes);
    const result = await runProgram(processes, { argv, environment, folder, onOutput }, signal);
    if (result.isGood) return;
    const lines = log.tail().slice(-ERROR_LINES);
    // The first line stands alone in a run's own error: it ends with the reason.
    const reason = lines.findLast((line) => line.trim() !== "") ?? "the installer said nothing";
    throw new TaskError(
      [`The step's Python packages could not be installed: ${reason}`, ...lines].join("\n"),
    );
  }

  /** Waits for the lock file and takes it. A lock whose process is gone is broken. */
  async #lock(path: string, log: StepLog, signal: AbortSignal): Promise<void> {
    const { files, processes, clock } = this.#deps;
    const own = processes.self();
    for (let isFirst = true; ; isFirst = false) {
      if ((await files.createExclusive(path, own)) === "created") return;
      const holder = (await files.readText(path, 1000)) ?? "";
      const pid = Number.parseInt(holder, 10);
      const isAlive = Number.isInteger(pid) && (processes.identify(pid) ?? "") === holder;
      if (!isAlive && holder !== "") {
        await files.removeTree(path);
        continue;
      }
      if (isFirst)
        log.note("waiting for another process that prepares the same Python environment");
      await clock.sleep(LOCK_POLL_MS, signal);
    }
  }

  #key(command: PythonCommand, interpreter: Interpreter): string {
    const parts = [
      interpreter.executable,
      interpreter.version,
      this.#options.packages,
      ...[...command.requirements].sort(),
      "",
      ...command.pipOptions,
    ];
    return this.#hash(parts.join("\n")).slice(0, KEY_LENGTH);
  }

  #hash(text: string): string {
    return hex(must(this.#deps.hashes.digest("sha256", text)));
  }

  #asking(): {
    processes: Processes;
    environment: Readonly<Record<string, string>>;
    folder: string;
  } {
    return {
      processes: this.#deps.processes,
      environment: this.#options.buildEnvironment,
      folder: this.#options.folder,
    };
  }
}

const ERROR_LINES = 12;
const KEY_LENGTH = 32;
