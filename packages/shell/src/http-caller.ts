import { ShellError } from "./errors.ts";
import { objectOf, textIn } from "./json-reader.ts";

export interface HttpCallerOptions {
  /** Of the people's door, such as `http://127.0.0.1:8888`. */
  readonly baseUrl: string;
  /** Presented as a bearer token; without one the door has to trust the local user. */
  readonly token: string | undefined;
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly json?: unknown;
  readonly content?: Uint8Array<ArrayBuffer>;
}

/** Jobs on large volumes are answered after many minutes; by itself the runtime gives up after five. */
const UNHURRIED: object = { timeout: false };

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Calls to one server. Answers other than 2xx become `ShellError`s that say what the server said. */
export class HttpCaller {
  readonly #options: HttpCallerOptions;

  constructor(options: HttpCallerOptions) {
    this.#options = options;
  }

  /** For answers without content that matters. */
  async send(method: Method, route: readonly string[], options: CallOptions = {}): Promise<void> {
    const response = await this.#call(method, route, options);
    await response.body?.cancel();
  }

  async json(method: Method, route: readonly string[], options: CallOptions): Promise<unknown> {
    return parseJson(await this.#textOf(await this.#call(method, route, options)));
  }

  /** `undefined` for 404. */
  async jsonIfFound(route: readonly string[], options: CallOptions): Promise<unknown> {
    try {
      return await this.json("GET", route, options);
    } catch (error) {
      if (error instanceof ShellError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  async bytes(route: readonly string[], options: CallOptions): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#call("GET", route, options);
    return this.#piecesOf(response);
  }

  async *#piecesOf(response: Response): AsyncGenerator<Uint8Array> {
    try {
      if (response.body !== null) yield* response.body;
    } catch (error) {
      throw this.#broken(error);
    }
  }

  async #textOf(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw this.#broken(error);
    }
  }

  #broken(cause: unknown): ShellError {
    const { baseUrl, signal } = this.#options;
    if (signal?.aborted === true) return new ShellError("interrupted", "Interrupted", { cause });
    return new ShellError("unreachable", `The connection to ${baseUrl} broke`, { cause });
  }

  async #call(method: Method, route: readonly string[], options: CallOptions): Promise<Response> {
    const { baseUrl, token, signal } = this.#options;
    // These two would change the route instead of naming something in it.
    if (route.some((part) => part === "." || part === "..")) {
      throw new ShellError("usage", "Nothing can be named . or ..");
    }
    const url = new URL(`/api/v1/${route.map(encodeURIComponent).join("/")}`, baseUrl);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined && value !== "") url.searchParams.set(name, value);
    }
    const headers: Record<string, string> = {};
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    if (options.json !== undefined) headers["content-type"] = "application/json";
    const body = options.json === undefined ? options.content : JSON.stringify(options.json);
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        // A redirect would carry the token to whoever it names.
        redirect: "error",
        ...UNHURRIED,
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw this.#broken(error);
      throw new ShellError("unreachable", `Cannot reach ${baseUrl}: is the server running there?`, {
        cause: error,
      });
    }
    if (!response.ok) throw refusal(response.status, await this.#textOf(response));
    return response;
  }
}

function refusal(status: number, answer: string): ShellError {
  const hint = status === 401 ? " (pass a token, or run as the server's user)" : "";
  const message = `${refusalMessage(status, answer)}${hint}`;
  return new ShellError(status === 404 ? "not-found" : "refused", message);
}

function refusalMessage(status: number, answer: string): string {
  try {
    return oneLine(textIn(objectOf(objectOf(parseJson(answer))["error"]), "message"));
  } catch (error) {
    // Something between here and the server may answer in its own words.
    if (error instanceof ShellError) return `The server answered ${status}`;
    throw error;
  }
}

function parseJson(answer: string): unknown {
  try {
    return JSON.parse(answer) as unknown;
  } catch (error) {
    throw new ShellError("unexpected-answer", "The server's answer is not JSON", { cause: error });
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
