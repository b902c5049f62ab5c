/** A refusal of one of the doors, with its own words. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface JsonRequest {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** Sends JSON, reads JSON. The message types are those of the server of the same build, so they are trusted here. */
export async function requestJson<Message>(path: string, request?: JsonRequest): Promise<Message> {
  const response = await send(path, {
    method: request?.method ?? "GET",
    ...(request?.signal === undefined ? {} : { signal: request.signal }),
    ...(request?.body === undefined
      ? {}
      : { body: JSON.stringify(request.body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  return (text === "" ? {} : JSON.parse(text)) as Message;
}

/** Like `fetch`, but throws `ApiError` for every answer that is no success. */
export async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { credentials: "same-origin", ...init });
  if (response.ok) return response;
  throw await readApiError(response);
}

export async function readApiError(response: Response): Promise<ApiError> {
  return apiErrorOf(response.status, await response.text());
}

/** Reads the three shapes of refusals: `/api/v1`, the pipelines API, and its uploads. */
export function apiErrorOf(status: number, text: string): ApiError {
  const body = parseRecord(text);
  const error = body["error"];
  if (isRecord(error)) {
    return new ApiError(status, asText(error["code"]), asText(error["message"]));
  }
  const message = asText(body["error_message"]) || asText(body["message"]);
  const code = asText(body["code"]) || String(status);
  return new ApiError(status, code, message || `The server answered with status ${status}`);
}

/** Adds the query parameters that have a value. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    // A proxy's HTML page, for example: the status then has to speak.
    return {};
  }
}

function asText(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
