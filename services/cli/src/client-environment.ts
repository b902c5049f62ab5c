import { join } from "node:path";
import {
  FOLDER_FILES,
  type ServerState,
  isDataFolder,
  readCredentials,
  readServerState,
} from "@kelp/all-in-one/folder";
import { CommandError } from "./usage-error.ts";

/** Clients want some region; a server that takes any is told this one. */
const REGION_FOR_ANY = "us-east-1";

/** Credentials and addresses of the running server. Throws `CommandError` when none runs. */
export function clientEnvironment(dir: string): Readonly<Record<string, string>> {
  const state = runningServer(dir);
  const credentials = readCredentials(join(dir, FOLDER_FILES.credentials));
  if (credentials === undefined) {
    throw new CommandError(`Cannot tell the credentials: ${dir} has no credentials.json`);
  }
  const region = state.region === "any" ? REGION_FOR_ANY : state.region;
  return {
    AWS_ACCESS_KEY_ID: credentials.access_key,
    AWS_SECRET_ACCESS_KEY: credentials.secret_key,
    AWS_ENDPOINT_URL_S3: state.s3_url,
    AWS_REGION: region,
    // boto3 and version 1 of the AWS CLI read only this one.
    AWS_DEFAULT_REGION: region,
    KF_PIPELINES_ENDPOINT: state.console_url,
    KELP_MASTER_URL: state.master_url,
    KELP_VOLUME_URL: state.volume_url,
    KELP_FILER_URL: state.filer_url,
  };
}

/** Throws `CommandError` saying why there is none. */
export function runningServer(dir: string): ServerState {
  if (!isDataFolder(dir)) {
    throw new CommandError(
      `There is no data folder of Kelp at ${dir}: name the one of your server with --dir, or start one with kelp server`,
    );
  }
  const state = readServerState(join(dir, FOLDER_FILES.server));
  if (state === undefined) {
    throw new CommandError(
      `No server is running on ${dir}: start it with kelp server --dir ${dir}`,
    );
  }
  return state;
}

/** Safe to paste: everything but the plainest text stands in single quotes. */
export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
