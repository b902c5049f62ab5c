import type { Hono } from "hono";
import type { ConsoleContext, ConsoleEnvironment } from "../access.ts";
import { ConsoleError } from "../errors.ts";

/** The router that every resource adds its routes to. */
export type Api = Hono<ConsoleEnvironment>;

/** A path segment by its name; the router guarantees that it is there. */
export function segment(context: ConsoleContext, name: string): string {
  const value = context.req.param(name);
  if (value === undefined || value === "") {
    throw new ConsoleError("bad-request", `The path lacks ${name}`);
  }
  return value;
}

/** The object key of the query, exactly as the client encoded it. */
export function objectKey(context: ConsoleContext): string {
  const key = context.req.query("key");
  if (key === undefined || key === "") {
    throw new ConsoleError("bad-request", "The query parameter key is missing");
  }
  return key;
}
