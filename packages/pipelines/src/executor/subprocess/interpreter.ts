import type { Processes } from "@kelp/base";
import { TaskError } from "../../errors.ts";
import { runProgram } from "./run-program.ts";

/** What is known about the base Python. */
export interface Interpreter {
  /** Absolute path, never a shim: the first program that a step finds as `python3`. */
  readonly executable: string;
  /** Such as `3.11.7`. */
  readonly version: string;
  /** Folders that its packages stand in. */
  readonly packageFolders: readonly string[];
}

const DESCRIBE = `
import json, site, sys, sysconfig
folders = [sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]]
if sys.prefix == sys.base_prefix:
    folders += site.getsitepackages()
print(json.dumps({"executable": sys.executable, "version": "%d.%d.%d" % sys.version_info[:3],
                  "packageFolders": list(dict.fromkeys(folders))}))
`;

/**
 * Tells which of the requirements are not met by what the interpreter has. A pinned kfp counts as met by any kfp of
 * major version 2: what a compiled step calls in it has been the same throughout.
 */
const UNMET = `
import json, sys
try:
    from packaging.requirements import Requirement, InvalidRequirement
except ImportError:
    from pip._vendor.packaging.requirements import Requirement, InvalidRequirement
from importlib import metadata
def met(text):
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        return False
    if wanted.marker is not None and not wanted.marker.evaluate():
        return True
    if wanted.url is not None:
        return False
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return False
    if wanted.name == "kfp" and not wanted.extras:
        return found.split(".")[0] == "2"
    if wanted.extras:
        return False
    return wanted.specifier.contains(found, prereleases=True)
print(json.dumps([text for text in sys.argv[1:] if not met(text)]))
`;

/** A question to Python takes milliseconds and is asked on behalf of everyone. */
const NEVER = new AbortController().signal;

export interface InterpreterDeps {
  readonly processes: Processes;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** @throws TaskError when there is no such Python or it does not run. */
export async function describeInterpreter(
  deps: InterpreterDeps,
  python: string,
): Promise<Interpreter> {
  const path = deps.environment["PATH"] ?? "";
  const program = python.includes("/") ? python : deps.processes.find(python, path);
  if (program === undefined) throw new TaskError(`There is no ${python} on this machine`);
  return JSON.parse(await ask(deps, [program, "-c", DESCRIBE], NEVER)) as Interpreter;
}

export async function unmetRequirements(
  deps: InterpreterDeps,
  interpreter: Interpreter,
  requirements: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const argv = [interpreter.executable, "-c", UNMET, ...requirements];
  return JSON.parse(await ask(deps, argv, signal)) as readonly string[];
}

async function ask(
  deps: InterpreterDeps,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const printed: string[] = [];
  const result = await runProgram(
    deps.processes,
    {
      argv,
      environment: deps.environment,
      folder: deps.folder,
      onOutput: (bytes) => printed.push(Buffer.from(bytes).toString()),
    },
    signal,
  );
  if (result.isGood) return result.output;
  throw new TaskError(
    `Python at ${argv[0] ?? ""} does not run: ${printed.join("").trim().slice(-2000)}`,
  );
}
