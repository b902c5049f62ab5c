import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** The checkout that this program runs from. */
export const REPOSITORY_FOLDER = resolve(import.meta.dirname, "../../..");

/** An absolute path inside the checkout. */
export function repositoryPath(relative: string): string {
  return resolve(REPOSITORY_FOLDER, relative);
}

export function repositoryHas(relative: string): boolean {
  return existsSync(repositoryPath(relative));
}
