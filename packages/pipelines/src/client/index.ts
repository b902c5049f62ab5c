/** What `kelp run` is made of: submitting a compiled pipeline over HTTP and following it. */
export { RunClientError, type RunClientErrorCode } from "./errors.ts";
export { parseParameters } from "./parse-parameters.ts";
export { type Fetch, type PipelinesClient, createPipelinesClient } from "./pipelines-client.ts";
export { type TableOptions, renderTaskTable } from "./render-task-table.ts";
export { type RunFileDeps, type RunFileRequest, runFile } from "./run-file.ts";
export { type DisplayOptions, TaskDisplay } from "./task-display.ts";
