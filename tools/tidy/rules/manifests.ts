import { importsOf } from "../imports.ts";
import { OUTSIDE, RUNTIME } from "../rooms.ts";
import type { Rule, Violation } from "../rule.ts";
import { type SourceFile, isBrowser, isForTests, isTypeScript, roomOf } from "../source-file.ts";

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** What a room imports stands in its own package.json: nothing works only because another room asked for it. */
export const manifestsRule: Rule = {
  name: "manifests",
  check: (files) => {
    const declared = new Map<string, ReadonlySet<string>>();
    for (const file of files) {
      const room = /^(?:packages|services)\/[^/]+\/package\.json$/.test(file.path)
        ? roomOf(file.path)
        : undefined;
      if (room !== undefined) declared.set(room, dependencyNames(file));
    }
    return files
      .filter((file) => isTypeScript(file) && !isBrowser(file) && !isForTests(file))
      .flatMap((file) => checkFile(file, declared));
  },
};

function checkFile(
  file: SourceFile,
  declared: ReadonlyMap<string, ReadonlySet<string>>,
): Violation[] {
  const room = roomOf(file.path);
  const names = room === undefined ? undefined : declared.get(room);
  if (room === undefined || names === undefined || OUTSIDE.includes(room)) return [];
  const violations: Violation[] = [];
  for (const { specifier, line } of importsOf(file)) {
    if (specifier.startsWith(".") || RUNTIME.test(specifier)) continue;
    const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
    if (names.has(name) || name === `@kelp/${room}`) continue;
    violations.push({
      path: file.path,
      line,
      message: `${name} is not a dependency in the package.json of ${room}`,
    });
  }
  return violations;
}

function dependencyNames(file: SourceFile): ReadonlySet<string> {
  const manifest = JSON.parse(file.text) as Manifest;
  return new Set(Object.keys(manifest.dependencies ?? {}));
}
