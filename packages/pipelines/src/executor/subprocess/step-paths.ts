import { parseObjectUri } from "../../run/uri.ts";
import type { StepAddress, StepRequest } from "../executor.ts";

/**
 * Where things of a step stand on the local disk. A step is given plain paths as URIs, since a laptop has no mount at
 * `/s3`; this maps both ways. Paths repeat bucket and key, so that a path says what its URI would.
 */
export class StepPaths {
  /** Everything of the attempt; removed at its end. */
  readonly folder: string;
  readonly temporary: string;
  readonly home: string;
  readonly work: string;
  /** Where `pip install` inside a step puts things: never into a shared environment. */
  readonly packages: string;
  readonly #taskRootUri: string;
  readonly #taskRoot: string;
  readonly #inputs: string;
  readonly #workspace: string;
  /** Local path to URI, of what was handed to the step. */
  readonly #uriByPath = new Map<string, string>();

  constructor(folder: string, workspace: string, request: StepRequest) {
    this.folder = folder;
    this.temporary = `${folder}/tmp`;
    this.home = `${folder}/home`;
    this.work = `${folder}/work`;
    this.packages = `${folder}/packages`;
    this.#inputs = `${folder}/inputs`;
    this.#taskRoot = `${folder}/outputs`;
    this.#taskRootUri = request.taskRootUri;
    this.#workspace = workspace;
  }

  /** Folders that must stand before the step starts. */
  get folders(): readonly string[] {
    return [this.temporary, this.home, this.work, this.#taskRoot, `${this.folder}/parameters`];
  }

  get outputFile(): string {
    // Its folder is what a Python step takes for the root of its own artifacts.
    return `${this.#taskRoot}/executor_output.json`;
  }

  parameterFile(name: string): string {
    return `${this.folder}/parameters/${encodeURIComponent(name)}`;
  }

  /** Where an output artifact is expected. */
  outputPath(uri: string): string {
    const path = this.#localOf(uri, this.#taskRootUri, this.#taskRoot) ?? this.#foreign(uri);
    this.#uriByPath.set(path, uri);
    return path;
  }

  /** Where an input artifact is put; URIs of other stores stay what they are. */
  inputPath(uri: string): string | undefined {
    if (parseObjectUri(uri) === undefined) return undefined;
    const path = this.#foreign(uri);
    this.#uriByPath.set(path, uri);
    return path;
  }

  workspaceCopy(uri: string): string {
    const path = workspaceCopyPath(this.#workspace, uri);
    this.#uriByPath.set(path, uri);
    return path;
  }

  /** The URI that is recorded for what the step calls `path`; anything else stays as it is. */
  uriOf(path: string): string {
    const known = this.#uriByPath.get(path);
    if (known !== undefined) return known;
    return this.#localOf(path, this.#taskRoot, this.#taskRootUri) ?? path;
  }

  /** Replaces local paths inside a text that leaves the step, such as a parameter that holds an artifact's URI. */
  textWithUris(text: string): string {
    if (!text.includes(this.folder) && !text.includes(this.#workspace)) return text;
    let result = text;
    // Longest first, since one path can begin another.
    const known = [...this.#uriByPath].sort(([left], [right]) => right.length - left.length);
    for (const [path, uri] of known) result = result.replaceAll(path, uri);
    return result.replaceAll(`${this.#taskRoot}/`, `${this.#taskRootUri}/`);
  }

  absolute(path: string): string {
    return path.startsWith("/") ? path : `${this.work}/${path}`;
  }

  isUnderTaskRoot(uri: string): boolean {
    return uri.startsWith(`${this.#taskRootUri}/`);
  }

  #localOf(location: string, from: string, to: string): string | undefined {
    return location.startsWith(`${from}/`) ? `${to}${location.slice(from.length)}` : undefined;
  }

  #foreign(uri: string): string {
    return `${this.#inputs}/${relativePath(uri)}`;
  }
}

/** `s3://bucket/key` as `bucket/key`, with nothing in it that could lead out of a folder. */
function relativePath(uri: string): string {
  const address = parseObjectUri(uri);
  const parts = address === undefined ? [uri] : [address.bucket, ...address.key.split("/")];
  return parts.map((part) => (/^\.{0,2}$/.test(part) ? `_${part}` : part)).join("/");
}

/** Where a run's workspace holds its copy of an artifact. */
export function workspaceCopyPath(workspace: string, uri: string): string {
  return `${workspace}/.artifacts/${relativePath(uri)}`;
}

/** Holds the task's name, which some steps look for in a URI. */
export function stepFolder(root: string, step: StepAddress): string {
  return `${root}/runs/${step.runId}/${step.taskName}-${step.taskId}`;
}
