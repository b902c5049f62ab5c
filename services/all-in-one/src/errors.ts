export type StartErrorCode =
  | "folder-in-use"
  | "folder-unusable"
  | "folder-used-twice"
  | "disk-full"
  | "catalogue-unreadable"
  | "format-unknown"
  | "credentials-invalid"
  | "secrets-invalid"
  | "master-key-unusable"
  | "master-key-missing"
  | "master-key-wrong"
  | "key-ring-damaged"
  | "not-sealed"
  | "restore-unfinished"
  | "log-damaged"
  | "port-in-use"
  | "address-unusable"
  | "ready-file-unusable";

/** The server cannot start, for a reason that its operator can change. The message is for them. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
