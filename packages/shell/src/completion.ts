import type { Command } from "./command.ts";
import { ShellError } from "./errors.ts";
import { locate, pathOf, resolvePath } from "./location.ts";
import type { ManagementClient } from "./management-client.ts";

export interface CompletionSources {
  readonly commands: readonly Command[];
  readonly client: ManagementClient;
  /** The working directory. */
  readonly directory: string;
}

export interface Completions {
  /** Whole words that the last word of the line can become. */
  readonly words: readonly string[];
  /** The last word as it stands. */
  readonly typed: string;
}

/** Names shown at most for one press of the key. */
const WORDS_MAX = 100;

/** What the last word of `line` can become: a command, a flag, a bucket or user after its flag, or a path. */
export async function complete(line: string, sources: CompletionSources): Promise<Completions> {
  const current = line.slice(line.lastIndexOf(";") + 1).trimStart();
  const words = current.split(/\s+/);
  const typed = words.at(-1) ?? "";
  const candidates = await candidatesFor(words, typed, sources);
  return { words: candidates.filter((word) => word.startsWith(typed)).slice(0, WORDS_MAX), typed };
}

async function candidatesFor(
  words: readonly string[],
  typed: string,
  sources: CompletionSources,
): Promise<readonly string[]> {
  const { commands } = sources;
  const [name] = words;
  const names = commands.map((command) => command.name);
  if (words.length <= 1) return names;
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) return [];
  if (typed.startsWith("-")) return Object.keys(command.flags).map((flag) => `-${flag}`);
  if (command.takes === "names") return names;
  try {
    const before = words.at(-2)?.replace(/^--?/, "-");
    if (before === "-name" && command.name.startsWith("s3.bucket.")) {
      return (await sources.client.listBuckets()).map((bucket) => bucket.name);
    }
    if (before === "-user" || (before === "-name" && command.name.startsWith("s3.user."))) {
      return (await sources.client.listIdentities()).map((identity) => identity.name);
    }
    return command.takes === "paths" ? await paths(typed, sources) : [];
  } catch (error) {
    // Completion is a convenience: when the server does not answer there is nothing to offer.
    if (error instanceof ShellError) return [];
    throw error;
  }
}

/** Whole paths, written from where the typed one starts. */
async function paths(typed: string, sources: CompletionSources): Promise<readonly string[]> {
  const lead = typed.slice(0, typed.lastIndexOf("/") + 1);
  const folder = resolvePath(sources.directory, lead === "" ? "." : lead);
  const location = locate(folder);
  const written = (name: string): string => lead + name;
  if (location.kind === "root") return [written("buckets/")];
  if (location.kind === "buckets") {
    const buckets = await sources.client.listBuckets();
    return buckets.map(({ name }) => written(`${name}/`));
  }
  const { bucket } = location;
  const key = location.kind === "object" ? location.key : "";
  const folderKey = key === "" || key.endsWith("/") ? key : `${key}/`;
  const prefix = folderKey + typed.slice(lead.length);
  const page = await sources.client.listObjects(bucket, {
    prefix,
    delimiter: "/",
    limit: WORDS_MAX,
  });
  const start = pathOf(bucket, folderKey).length - (folderKey === "" ? -1 : 0);
  return page.items.map((item) =>
    written(pathOf(bucket, item.kind === "prefix" ? item.prefix : item.key).slice(start)),
  );
}
