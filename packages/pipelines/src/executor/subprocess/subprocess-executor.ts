import {
  type Clock,
  type Hashes,
  type LocalFiles,
  type Log,
  type Processes,
  type RunningProcess,
  type ProcessExit,
  ProcessError,
  DiskError,
} from "@kelp/base";
import { type ObjectStore, ObjectStoreError } from "@kelp/wire";
import { TaskError } from "../../errors.ts";
import {
  type ExecutorInput,
  type RuntimeArtifact,
  renderArguments,
} from "../../run/placeholders.ts";
import { parseObjectUri } from "../../run/uri.ts";
import type {
  Executor,
  StepAddress,
  StepArtifact,
  StepLog,
  StepOutcome,
  StepRequest,
} from "../executor.ts";
import { type LocalArtifact, collectOutputs } from "./collect-outputs.ts";
import { Environments, type PythonEnvironment } from "./environments.ts";
import { parsePythonCommand } from "./python-command.ts";
import { readBoth, withinMs } from "./run-program.ts";
import { inheritedVariables, stepEnvironment } from "./step-environment.ts";
import { StepPaths, stepFolder, workspaceCopyPath } from "./step-paths.ts";
import { download, upload } from "./transfer.ts";
import { WORKSPACE_MARK } from "../workspace-mark.ts";

export interface SubprocessDeps {
  readonly processes: Processes;
  readonly files: LocalFiles;
  readonly objects: ObjectStore;
  readonly hashes: Hashes;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SubprocessOptions {
  /** For working folders, workspaces and Python environments; absolute. */
  readonly workFolder: string;
  /** Default `python3`. */
  readonly python?: string;
  /** See `EnvironmentsOptions.packages`. Default `installed-first`. */
  readonly packages?: "installed-first" | "install";
  /**
   * What to do with a container step, whose image cannot be had without a container engine. `host` runs its command
   * with the programs of this machine and says so in the log; `refuse` fails the step. Python steps always run on the
   * interpreter of this machine. Default `host`.
   */
  readonly imagePolicy?: "host" | "refuse";
  /** This process's environment; only what `ALLOWED_VARIABLES` names is handed to steps. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** After a step's own process has ended, what it left running may hold its output open this long. */
const DRAIN_OUTPUT_MS = 2000;

/** Carries out steps as processes of this machine. */
export class SubprocessExecutor implements Executor {
  readonly #deps: SubprocessDeps;
  readonly #options: SubprocessOptions;
  readonly #environments: Environments;
  readonly #inherited: Readonly<Record<string, string>>;

  constructor(deps: SubprocessDeps, options: SubprocessOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#inherited = inheritedVariables(options.environment);
    const buildEnvironment = {
      ...this.#inherited,
      HOME: options.environment["HOME"] ?? "/",
    };
    this.#environments = new Environments(deps, {
      folder: `${options.workFolder}/environments`,
      python: options.python ?? "python3",
      packages: options.packages ?? "installed-first",
      buildEnvironment,
    });
  }

  workspacePath(runId: string): string {
    return `${this.#options.workFolder}/workspaces/${runId}`;
  }

  async downloadToWorkspace(runId: string, uri: string, signal: AbortSignal): Promise<void> {
    const path = workspaceCopyPath(this.workspacePath(runId), uri);
    await this.#deps.files.removeTree(path);
    const found = await this.#transferring(() => download(this.#deps, uri, path, signal));
    if (found === "nothing") throw new TaskError(`Cannot import ${uri}: there is nothing`);
  }

  async forgetRun(runId: string): Promise<void> {
    await this.#deps.files.removeTree(this.workspacePath(runId));
    await this.#deps.files.removeTree(`${this.#options.workFolder}/runs/${runId}`);
  }

  async discard(step: StepAddress): Promise<void> {
    const folder = stepFolder(this.#options.workFolder, step);
    const holder = await this.#deps.files.readText(`${folder}/process`, 1000);
    if (holder !== undefined) {
      const pid = Number.parseInt(holder, 10);
      if (this.#deps.processes.identify(pid) === holder) {
        this.#deps.processes.killGroup(pid, "SIGKILL");
      }
    }
    await this.#deps.files.removeTree(folder);
  }

  async run(request: StepRequest, log: StepLog, signal: AbortSignal): Promise<StepOutcome> {
    const folder = stepFolder(this.#options.workFolder, request);
    const paths = new StepPaths(folder, this.workspacePath(request.runId), request);
    try {
      await this.#deps.files.removeTree(folder);
      for (const path of paths.folders) await this.#deps.files.makeFolder(path);
      await this.#deps.files.makeFolder(this.workspacePath(request.runId));
      return await this.#transferring(() => this.#runIn(paths, request, log, signal));
    } catch (error) {
      if (signal.aborted) return { kind: "canceled" };
      if (error instanceof TaskError) return { kind: "failed", message: error.message };
      throw error;
    } finally {
      await this.#deps.files.removeTree(folder);
    }
  }

  async #runIn(
    paths: StepPaths,
    request: StepRequest,
    log: StepLog,
    signal: AbortSignal,
  ): Promise<StepOutcome> {
    const input = await this.#executorInput(paths, request, signal);
    const { argv, python } = await this.#command(request, input, log, signal);
    const environment = stepEnvironment(paths, request, python, this.#inherited);
    const child = this.#start(argv, environment, paths.work, request.container.image);
    const failure = await this.#attend(child, request, { paths, log, signal });
    if (signal.aborted) return { kind: "canceled" };
    if (failure !== undefined) return { kind: "failed", message: withTail(failure, log) };
    const outputs = await collectOutputs(this.#deps.files, paths, request);
    for (const artifact of Object.values(outputs.artifacts).flat()) {
      if (artifact.path === undefined) continue;
      const taken = await upload(this.#deps, artifact.path, artifact.uri, signal);
      if (taken === "nothing" && hasContent(artifact)) {
        log.note(`output artifact ${artifact.name} was not written`);
      }
    }
    return {
      kind: "succeeded",
      parameters: outputs.parameters,
      artifacts: mapLists(outputs.artifacts, ({ path: _path, ...artifact }) => artifact),
    };
  }

  /** Fetches inputs and says where everything stands. */
  async #executorInput(
    paths: StepPaths,
    request: StepRequest,
    signal: AbortSignal,
  ): Promise<ExecutorInput> {
    const artifacts: Record<string, { artifacts: RuntimeArtifact[] }> = {};
    for (const [name, list] of Object.entries(request.inputs.artifacts)) {
      const local: RuntimeArtifact[] = [];
      for (const artifact of list) {
        local.push(runtimeArtifact(artifact, await this.#fetchInput(paths, artifact, signal)));
      }
      artifacts[name] = { artifacts: local };
    }
    const { files } = this.#deps;
    const outputs: Record<string, { artifacts: RuntimeArtifact[] }> = {};
    for (const [name, artifact] of Object.entries(request.outputs.artifacts)) {
      const path = paths.outputPath(artifact.uri);
      await files.makeFolder(path.slice(0, path.lastIndexOf("/")));
      outputs[name] = { artifacts: [runtimeArtifact(artifact, path)] };
    }
    const parameters = Object.keys(request.outputs.parameters).map((name) => [
      name,
      { outputFile: paths.parameterFile(name) },
    ]);
    return {
      inputs: { parameterValues: request.inputs.parameters, artifacts },
      outputs: {
        parameters: Object.fromEntries(parameters),
        artifacts: outputs,
        outputFile: paths.outputFile,
      },
    };
  }

  /** Where the step finds an input artifact. */
  async #fetchInput(
    paths: StepPaths,
    artifact: StepArtifact,
    signal: AbortSignal,
  ): Promise<string> {
    if (artifact.metadata[WORKSPACE_MARK] === true) return paths.workspaceCopy(artifact.uri);
    const path = paths.inputPath(artifact.uri);
    if (path === undefined) return artifact.uri;
    // Two inputs can be the same artifact; one copy serves both.
    if ((await this.#deps.files.describe(path)) === undefined) {
      await download(this.#deps, artifact.uri, path, signal);
    }
    return path;
  }

  async #command(
    request: StepRequest,
    input: ExecutorInput,
    log: StepLog,
    signal: AbortSignal,
  ): Promise<{ argv: readonly string[]; python: PythonEnvironment }> {
    const { container } = request;
    const parsed = parsePythonCommand(container.command);
    const isPython = parsed !== undefined || isPythonStep(container.command, container.arguments);
    if (!isPython) this.#admitImage(request, log);
    const python =
      parsed === undefined
        ? await this.#environments.base()
        : await this.#environments.prepare(parsed, log, signal);
    const elements = [...(parsed?.command ?? container.command), ...container.arguments];
    const scope = { executorInput: input, job: request.job, pathOf: (uri: string) => uri };
    const argv = renderArguments(elements, scope);
    if (argv.length === 0) {
      throw new TaskError(
        `The step has no command: what image ${container.image} would run by itself is not known here`,
      );
    }
    return { argv, python };
  }

  #admitImage(request: StepRequest, log: StepLog): void {
    const { image } = request.container;
    if (this.#options.imagePolicy === "refuse") {
      throw new TaskError(
        `The step needs the container image ${image}, which this executor cannot run; its policy is to refuse`,
      );
    }
    log.note(`image ${image} is not used: the command runs with the programs of this machine`);
  }

  #start(
    argv: readonly string[],
    environment: Readonly<Record<string, string>>,
    folder: string,
    image: string,
  ): RunningProcess {
    try {
      const [program = "", ...rest] = argv;
      const found = this.#deps.processes.find(program, environment["PATH"] ?? "");
      if (found === undefined) throw new ProcessError(program, "ENOENT", undefined);
      return this.#deps.processes.start({ argv: [found, ...rest], environment, folder });
    } catch (error) {
      if (!(error instanceof ProcessError)) throw error;
      throw new TaskError(
        error.code === "ENOENT"
          ? `The step's program ${argv[0] ?? ""} is not installed on this machine, and its image ${image} is not used here`
          : `The step's program ${argv[0] ?? ""} cannot be started: ${error.code}`,
        { cause: error },
      );
    }
  }

  /** Reads a step's output until it has ended; gives back why it failed. Nothing of it runs afterwards. */
  async #attend(
    child: RunningProcess,
    request: StepRequest,
    around: { readonly paths: StepPaths; readonly log: StepLog; readonly signal: AbortSignal },
  ): Promise<string | undefined> {
    const { processes, clock, files } = this.#deps;
    const { log, signal } = around;
    let timeIsUp = false;
    const kill = (): void => processes.killGroup(child.pid, "SIGKILL");
    const timer =
      request.timeoutMs === 0
        ? undefined
        : clock.schedule(request.timeoutMs, () => {
            timeIsUp = true;
            kill();
          });
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    try {
      let isOpen = true;
      const reading = readBoth(child, (bytes) => {
        if (isOpen) log.write(bytes);
      });
      await files.writeText(
        `${around.paths.folder}/process`,
        processes.identify(child.pid) ?? String(child.pid),
      );
      const exit = await child.exited;
      await withinMs(clock, reading, DRAIN_OUTPUT_MS);
      isOpen = false;
      // What the step started in the background ends with it.
      kill();
      if (timeIsUp) return `The step took longer than ${request.timeoutMs / 1000} s and was killed`;
      return exitFailure(exit);
    } finally {
      timer?.cancel();
      signal.removeEventListener("abort", kill);
    }
  }

  /** Turns failures of disk and store into the step's: they say what was wrong with its files. */
  async #transferring<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ObjectStoreError || error instanceof DiskError) {
        throw new TaskError(`The step's files could not be handled: ${error.message}`, {
          cause: error,
        });
      }
      throw error;
    }
  }
}

/** A Python step without an installing layer. */
function isPythonStep(command: readonly string[], args: readonly string[]): boolean {
  return [...command, ...args].some((word) => word.includes("kfp.dsl.executor_main"));
}

function exitFailure(exit: ProcessExit): string | undefined {
  if (exit.kind === "signal") return `The step was ended by signal ${exit.signal}`;
  return exit.code === 0 ? undefined : `The step ended with exit code ${exit.code}`;
}

/** The first line stands alone where there is room for one: it ends with what the step said last, most often the reason. */
function withTail(message: string, log: StepLog): string {
  const lines = log.tail().join("\n").trim();
  if (lines === "") return message;
  const last = lines.slice(lines.lastIndexOf("\n") + 1).slice(0, REASON_LENGTH_MAX);
  // `ValueError: no rows` is a reason; the end of something printed, such as a bracket, is not.
  const reason = /^\p{Letter}/u.test(last) ? `: ${last}` : "";
  return `${message}${reason}\nIts last lines:\n${lines}`;
}

const REASON_LENGTH_MAX = 300;

/** Metrics live in metadata alone; only types whose file is the point are missed. */
function hasContent(artifact: LocalArtifact): boolean {
  return !artifact.type.endsWith("Metrics") && parseObjectUri(artifact.uri) !== undefined;
}

function runtimeArtifact(artifact: StepArtifact, uri: string): RuntimeArtifact {
  // The mark tells the Python side to look under a fixed mount; here the URI is the path already.
  const { [WORKSPACE_MARK]: _mark, ...metadata } = artifact.metadata;
  return {
    name: artifact.name,
    type: { schemaTitle: artifact.type, schemaVersion: "0.0.1" },
    uri,
    metadata,
  };
}

function mapLists<Item, Result>(
  lists: Readonly<Record<string, readonly Item[]>>,
  map: (item: Item) => Result,
): Record<string, readonly Result[]> {
  return Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.map(map)]));
}
