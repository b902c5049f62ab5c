import type { S3Request } from "../request.ts";
import { type Level, type OperationName, ROUTES, type Route } from "./table.ts";
import { S3Error } from "../errors.ts";

/**
 * Finds the operation of a request. A sub-resource never falls through to the operation without one: named in the
 * table it must have an operation for this method, and a bare unknown name (`?foo`) is taken for a sub-resource of a
 * later S3 and answered `NotImplemented`. Unknown parameters with a value are noise that clients send.
 * Throws `MethodNotAllowed`, `NotImplemented`, `InvalidArgument`.
 */
export function routeRequest(request: S3Request, level: Level): OperationName {
  const table = TABLES.get(tableKey(request.method, level));
  if (table === undefined) throw new S3Error("MethodNotAllowed");
  if (request.query.length === 0) return pickRoute(request, table.plain);
  let chosen: OperationName | undefined;
  for (const [name, value] of request.query) {
    const routes = table.bySubResource.get(name);
    if (routes === undefined) {
      refuseStranger(name, value, level, table);
      continue;
    }
    const operation = findRoute(request, routes, value);
    if (operation === undefined || operation === chosen) continue;
    if (chosen !== undefined) {
      throw new S3Error("InvalidArgument", "The query names two sub-resources");
    }
    chosen = operation;
  }
  return chosen ?? pickRoute(request, table.plain);
}

interface Table {
  readonly plain: readonly Route[];
  readonly bySubResource: ReadonlyMap<string, readonly Route[]>;
  /** Parameters of the operations in this table, which are no sub-resources. */
  readonly parameters: ReadonlySet<string>;
}

/** Parameters that any request may carry: the signature's, and what SDKs add. */
const COMMON_PARAMETERS = [
  "x-id",
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-SignedHeaders",
  "X-Amz-Signature",
  "X-Amz-Security-Token",
  "X-Amz-Content-Sha256",
  "AWSAccessKeyId",
  "Signature",
  "Expires",
];
/** Parameters that may stand empty without being a sub-resource, by table. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  "GET service": ["max-buckets", "continuation-token", "prefix", "bucket-region"],
  "GET bucket": [
    "list-type",
    "prefix",
    "delimiter",
    "marker",
    "max-keys",
    "encoding-type",
    "continuation-token",
    "start-after",
    "fetch-owner",
    "metadata",
    "key-marker",
    "upload-id-marker",
    "version-id-marker",
    "max-uploads",
  ],
  "GET object": [
    "partNumber",
    "versionId",
    "max-parts",
    "part-number-marker",
    "encoding-type",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
  ],
  "HEAD object": [
    "partNumber",
    "versionId",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
  ],
  "DELETE object": ["versionId"],
};

const TABLES = buildTables();
const SUB_RESOURCES = collectSubResources();

function pickRoute(request: S3Request, routes: readonly Route[]): OperationName {
  const operation = findRoute(request, routes, undefined);
  if (operation === undefined) throw new S3Error("MethodNotAllowed");
  return operation;
}

/** The most particular route that fits: one that asks for a header or second parameter goes before one that does not. */
function findRoute(
  request: S3Request,
  routes: readonly Route[],
  value: string | undefined,
): OperationName | undefined {
  let found: OperationName | undefined;
  for (const route of routes) {
    if (route.value !== undefined && route.value !== value) continue;
    if (route.header === undefined && route.with === undefined) {
      found ??= route.operation;
    } else if (
      (route.header === undefined || request.headers[route.header] !== undefined) &&
      (route.with === undefined || request.query.some(([name]) => name === route.with))
    ) {
      return route.operation;
    }
  }
  return found;
}

function refuseStranger(name: string, value: string, level: Level, table: Table): void {
  if (table.parameters.has(name)) return;
  if (SUB_RESOURCES.has(`${level} ${name}`)) throw new S3Error("MethodNotAllowed");
  if (value !== "") return;
  throw new S3Error("NotImplemented", undefined, { details: { ResourceType: name } });
}

function buildTables(): ReadonlyMap<string, Table> {
  const tables = new Map<string, Table>();
  for (const { method, level } of ROUTES) {
    const key = tableKey(method, level);
    if (tables.has(key)) continue;
    const routes = ROUTES.filter((route) => route.method === method && route.level === level);
    const bySubResource = new Map<string, Route[]>();
    for (const route of routes) {
      if (route.query === undefined) continue;
      const same = bySubResource.get(route.query);
      if (same === undefined) bySubResource.set(route.query, [route]);
      else same.push(route);
    }
    tables.set(key, {
      plain: routes.filter((route) => route.query === undefined),
      bySubResource,
      parameters: new Set([...COMMON_PARAMETERS, ...(PARAMETERS[key] ?? [])]),
    });
  }
  return tables;
}

function collectSubResources(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { level, query } of ROUTES) if (query !== undefined) found.add(`${level} ${query}`);
  return found;
}

function tableKey(method: string, level: Level): string {
  return `${method} ${level}`;
}
