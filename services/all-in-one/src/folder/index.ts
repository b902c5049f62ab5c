/** The data folder as other commands see it: whose it is, who runs on it, and with which credentials. */
export { StartError, type StartErrorCode } from "../errors.ts";
export { type Credentials, readCredentials } from "./credentials.ts";
export { FOLDER_FILES, type DataFolder, isDataFolder, openDataFolder } from "./data-folder.ts";
export { type ServerState, readServerState } from "./server-state.ts";
