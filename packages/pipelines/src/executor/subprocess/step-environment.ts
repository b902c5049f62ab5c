import type { StepRequest } from "../executor.ts";
import type { PythonEnvironment } from "./environments.ts";
import type { StepPaths } from "./step-paths.ts";

/** What a step may see of the server's environment: how to reach the network and packages, never a secret. */
export const ALLOWED_VARIABLES = [
  "LANG",
  "LC_ALL",
  "TZ",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "REQUESTS_CA_BUNDLE",
  "PIP_INDEX_URL",
  "PIP_EXTRA_INDEX_URL",
  "PIP_TRUSTED_HOST",
  "PIP_FIND_LINKS",
  "PIP_NO_INDEX",
  "PIP_CERT",
  "PIP_CACHE_DIR",
  "UV_CACHE_DIR",
] as const;

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The allowed part of the server's environment, with a language and a PATH. */
export function inheritedVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const name of ALLOWED_VARIABLES) {
    const value = environment[name];
    if (value !== undefined) result[name] = value;
  }
  result["LANG"] ??= "C.UTF-8";
  result["PATH"] = environment["PATH"] ?? DEFAULT_PATH;
  return result;
}

/** The whole environment of a step: nothing of the server's but what is allowed. */
export function stepEnvironment(
  paths: StepPaths,
  request: StepRequest,
  python: PythonEnvironment,
  inherited: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const own = Object.fromEntries(
    request.container.environment.map(({ name, value }) => [name, value]),
  );
  const makesVenv = request.container.command.some((word) => word.includes("-m venv"));
  // A virtual environment made inside another sees only the outermost Python, so the folders are named.
  const folders = makesVenv ? python.interpreter.packageFolders : [];
  return {
    ...inherited,
    PATH: `${python.binFolder}:${inherited["PATH"] ?? DEFAULT_PATH}`,
    HOME: paths.home,
    TMPDIR: paths.temporary,
    PYTHONUNBUFFERED: "1",
    PYTHONPATH: [paths.packages, ...folders].join(":"),
    PIP_TARGET: paths.packages,
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    ...own,
    ...request.environment,
  };
}
