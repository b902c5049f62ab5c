import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { blankComments, blankStrings } from "./blank.ts";

/** A file as the rules see it. Three texts of equal length, so that an offset means the same in each. */
export interface SourceFile {
  /** Relative to the root of the checkout, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Comments replaced by spaces. */
  readonly code: string;
  /** Comments, and what stands in strings, replaced by spaces: only code remains. */
  readonly bare: string;
}

export function sourceFile(path: string, text: string): SourceFile {
  const isCode = /\.(?:ts|tsx|mts|cts|js|jsx|mjs|cjs)$/.test(path);
  if (!isCode) return { path, text, code: text, bare: text };
  const code = blankComments(text);
  return { path, text, code, bare: blankStrings(code) };
}

/** Line of an offset, from 1. */
export function lineAt(file: SourceFile, offset: number): number {
  return file.text.slice(0, offset).split("\n").length;
}

const FOLDERS_LEFT_OUT = new Set(["node_modules", "dist", "__pycache__", "kelp-data", "out"]);
/** Samples of others are kept as they were found. */
const PATHS_LEFT_OUT = ["conformance/kfp-samples"];
const TEXT_FILES = /\.(?:ts|tsx|mts|js|mjs|css|html|json|yaml|yml|toml|md|sh|py)$|^(?:kelp|run)$/;
const FILES_LEFT_OUT = new Set(["bun.lock", "package-lock.json"]);

/** Every text file of the checkout that the project itself wrote. */
export function readSources(root: string): SourceFile[] {
  const files: SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (PATHS_LEFT_OUT.includes(path)) continue;
      if (entry.isDirectory()) {
        const isHidden = entry.name.startsWith(".") && entry.name !== ".ci";
        if (!isHidden && !FOLDERS_LEFT_OUT.has(entry.name)) walk(path);
      } else if (entry.isFile() && TEXT_FILES.test(entry.name) && !FILES_LEFT_OUT.has(entry.name)) {
        files.push(sourceFile(path, readFileSync(join(root, path), "utf8")));
      }
    }
  };
  walk("");
  return files;
}

/** Written in TypeScript, and neither a test nor a help for tests. */
export function isProduct(file: SourceFile): boolean {
  return isTypeScript(file) && !isForTests(file);
}

export function isTypeScript(file: SourceFile): boolean {
  return /\.tsx?$/.test(file.path);
}

export function isForTests(file: SourceFile): boolean {
  return (
    /\.test\.tsx?$/.test(file.path) ||
    /\/testing(?:\/|\.ts$)/.test(file.path) ||
    /^(?:tools|bench|conformance|simulator)\//.test(file.path)
  );
}

/** The console's app runs in a browser, where the globals are others. */
export function isBrowser(file: SourceFile): boolean {
  return file.path.startsWith("packages/console/web/");
}

/** The room's name (folder under `packages/` or `services/`, or the top folder), `undefined` at the root. */
export function roomOf(path: string): string | undefined {
  return (
    /^(?:packages|services)\/([^/]+)\//.exec(path)?.[1] ??
    /^(tools|bench|conformance|simulator)\//.exec(path)?.[1]
  );
}
