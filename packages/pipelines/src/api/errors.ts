/** Why the API refuses a request. Each has a status of gRPC and one of HTTP. */
export type ApiErrorCode =
  | "invalid-argument"
  | "failed-precondition"
  | "unauthenticated"
  | "permission-denied"
  | "not-found"
  | "already-exists"
  | "too-large"
  | "range-not-satisfiable"
  | "unimplemented"
  | "unavailable"
  | "internal";

/** A refusal with a sentence for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** gRPC code and HTTP status of each refusal, as Kubeflow's gateway maps them. */
export const STATUS_OF = {
  "invalid-argument": { grpc: 3, http: 400 },
  "failed-precondition": { grpc: 9, http: 400 },
  unauthenticated: { grpc: 16, http: 401 },
  "permission-denied": { grpc: 7, http: 403 },
  "not-found": { grpc: 5, http: 404 },
  "already-exists": { grpc: 6, http: 409 },
  "too-large": { grpc: 3, http: 413 },
  "range-not-satisfiable": { grpc: 11, http: 416 },
  unimplemented: { grpc: 12, http: 501 },
  unavailable: { grpc: 14, http: 503 },
  internal: { grpc: 13, http: 500 },
} as const satisfies Record<ApiErrorCode, { grpc: number; http: number }>;

/** The body of every refusal but those of uploads: `google.rpc.Status`, the sentence repeated in the detail as KFP does. */
export function statusMessage(error: ApiError): unknown {
  const { grpc } = STATUS_OF[error.code];
  return {
    code: grpc,
    message: error.message,
    details: [
      { "@type": "type.googleapis.com/google.rpc.Status", code: grpc, message: error.message },
    ],
  };
}

/** The body of refused uploads. */
export function uploadErrorMessage(error: ApiError): unknown {
  return { error_message: error.message, error_details: error.message };
}
