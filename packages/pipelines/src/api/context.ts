import type { Clock, Log, ParseYamlDocuments, SqlDatabase } from "@kelp/base";
import type { Lineage } from "@kelp/lineage";
import { type Authorizer, type ObjectStore, type Principal, serviceArn } from "@kelp/wire";
import type { Context, Hono } from "hono";
import type { z } from "zod";
import type { Catalog } from "../catalog/index.ts";
import type { PipelinesEngine } from "../index.ts";
import { ApiError } from "./errors.ts";
import { JSON_REQUEST_BYTES_MAX } from "./limits.ts";
import { readJsonText } from "./messages/proto.ts";
import type { Lists } from "./query/list.ts";
import { readBody } from "./read-body.ts";

/** What the routes share. */
export interface ApiDeps {
  readonly engine: PipelinesEngine;
  readonly catalog: Catalog;
  readonly database: SqlDatabase;
  readonly lists: Lists;
  readonly lineage: Lineage;
  readonly objects: ObjectStore;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly parseYaml: ParseYamlDocuments;
}

export type ApiApp = Hono<{ Bindings: ApiBindings }>;
export type ApiContext = Context<{ Bindings: ApiBindings }>;

/** What the door found out about the caller of one request. */
export interface ApiBindings {
  readonly principal: Principal;
}

/**
 * Lets the caller do `verb` (such as `GetRun`) to `path` (such as `run/<id>`; `run/` for lists and creation), or throws
 * `ApiError` "permission-denied". Asked before anything is looked up, so that a refusal tells nothing.
 */
export function authorize(deps: ApiDeps, context: ApiContext, verb: string, path: string): void {
  const action = `pipelines:${verb}`;
  const { principal } = context.env;
  const resource = serviceArn("pipelines", path);
  if (deps.authorizer.authorize({ principal, action, resource }).kind === "allow") return;
  throw new ApiError(
    "permission-denied",
    `Cannot do ${action} on ${resource}: ${principal.name} has no permission`,
  );
}

/** The JSON body as a message. An empty body is the empty message. Throws `ApiError` "invalid-argument" or "too-large". */
export async function readRequest<Schema extends z.ZodType>(
  context: ApiContext,
  schema: Schema,
  what: string,
): Promise<z.output<Schema>> {
  const bytes = await readBody(context.req.raw, JSON_REQUEST_BYTES_MAX);
  const text = new TextDecoder().decode(bytes);
  return readJsonText(schema, text.trim() === "" ? "{}" : text, what);
}

export function queryOf(context: ApiContext): URLSearchParams {
  return new URL(context.req.url).searchParams;
}

/** A path parameter that the route's pattern has. */
export function pathParameter(context: ApiContext, name: string): string {
  return context.req.param(name) ?? "";
}

/** The single-user mode knows one namespace, whatever a client sends (its default is `kubeflow`). */
export const NAMESPACE = "";
