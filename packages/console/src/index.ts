/** The console: its JSON API under `/api/v1` and the files of the web app. */
export type { ConsoleDependencies, ConsoleInfo } from "./dependencies.ts";
export { CONSOLE_ERROR_STATUS, ConsoleError, type ConsoleErrorCode } from "./errors.ts";
export { createConsoleHandler } from "./handler.ts";
export { type StaticFiles, folderStaticFiles } from "./static-files.ts";
