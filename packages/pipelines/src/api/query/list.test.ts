import { beforeEach, describe, expect, test } from "bun:test";
import { type SqlDatabase, migrate } from "@kelp/base";
import { openDatabase } from "@kelp/base/platform";
import { ApiError } from "../errors.ts";
import type { ListSource } from "./fields.ts";
import { Lists, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "./list.ts";

const THINGS: ListSource = {
  noun: "thing",
  table: "things",
  selection: "*",
  fields: new Map([
    ["name", { kind: "text", column: "name" }],
    ["created_at", { kind: "time", column: "created_ms" }],
  ]),
  tagsColumn: "tags_json",
};

interface Thing {
  readonly sequence: number;
  readonly name: string;
  readonly created_ms: number;
}

let database: SqlDatabase;
let lists: Lists;

beforeEach(() => {
  database = openDatabase(":memory:");
  migrate(database, "things", [
    {
      version: 1,
      sql: `CREATE TABLE things (sequence INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
              created_ms INTEGER NOT NULL, tags_json TEXT NOT NULL DEFAULT '{}')`,
    },
  ]);
  lists = new Lists(database);
});

function add(name: string, createdMs = 0, tags: Readonly<Record<string, string>> = {}): void {
  database
    .prepare("INSERT INTO things (name, created_ms, tags_json) VALUES (?, ?, ?)")
    .run(name, createdMs, JSON.stringify(tags));
}

function page(parameters: Readonly<Record<string, string>> = {}) {
  const found = lists.list<Thing>(THINGS, [], new URLSearchParams(parameters));
  return { ...found, names: found.rows.map((row) => row.name) };
}

function filtered(...predicates: unknown[]): string[] {
  return page({ filter: JSON.stringify({ predicates }) }).names;
}

function refusal(parameters: Readonly<Record<string, string>>): string {
  try {
    page(parameters);
  } catch (error) {
    if (error instanceof ApiError && error.code === "invalid-argument") return error.message;
    throw error;
  }
  return "accepted";
}

/** All names, page by page, doing `between` after the first page. */
function walk(parameters: Readonly<Record<string, string>>, between: () => void): string[] {
  const names: string[] = [];
  let token: string | undefined = "";
  while (token !== undefined) {
    const found: ReturnType<typeof page> = page({ ...parameters, page_token: token });
    names.push(...found.names);
    if (token === "") between();
    token = found.nextPageToken;
  }
  return names;
}

describe("paging", () => {
  test("an empty list has no next page", () => {
    expect(page()).toEqual({ rows: [], names: [], totalSize: 0, nextPageToken: undefined });
  });

  test("the last page has no token, also when it is full", () => {
    for (const name of ["a", "b", "c", "d"]) add(name);
    const first = page({ page_size: "2" });
    expect(first.names).toEqual(["a", "b"]);
    const second = page({ page_size: "2", page_token: first.nextPageToken ?? "" });
    expect(second.names).toEqual(["c", "d"]);
    expect(second.nextPageToken).toBeUndefined();
    expect([first.totalSize, second.totalSize]).toEqual([4, 4]);
  });

  test("size 0 and none mean the default, more than the maximum means the maximum", () => {
    for (let index = 0; index <= PAGE_SIZE_MAX; index += 1) add(`n${index}`);
    expect(page().names).toHaveLength(PAGE_SIZE_DEFAULT);
    expect(page({ page_size: "0" }).names).toHaveLength(PAGE_SIZE_DEFAULT);
    expect(page({ page_size: "100000" }).names).toHaveLength(PAGE_SIZE_MAX);
  });

  test.each(["-1", "x", "1.5", "1e3"])("refuses page_size %s", (size) => {
    expect(refusal({ page_size: size })).toContain("page_size");
  });

  test("rows inserted or removed between pages shift nothing", () => {
    for (const name of ["b", "d", "f", "h"]) add(name);
    const names = walk({ page_size: "2", sort_by: "name" }, () => {
      add("a");
      add("g");
      database.prepare("DELETE FROM things WHERE name = ?").run("b");
    });
    expect(names).toEqual(["b", "d", "f", "g", "h"]);
  });

  test("equal sort keys are paged in the order of insertion, and against it when descending", () => {
    for (const name of ["a", "b", "c", "d", "e"]) add(name, 1000);
    expect(walk({ page_size: "2" }, () => undefined)).toEqual(["a", "b", "c", "d", "e"]);
    const descending = walk({ page_size: "2", sort_by: "created_at desc" }, () => undefined);
    expect(descending).toEqual(["e", "d", "c", "b", "a"]);
  });

  test("a token is refused with another sort order or filter", () => {
    for (const name of ["a", "b", "c"]) add(name);
    const token = page({ page_size: "1", sort_by: "name" }).nextPageToken ?? "";
    const filter = JSON.stringify({
      predicates: [{ operation: "EQUALS", key: "name", string_value: "b" }],
    });
    expect(page({ page_token: token, sort_by: "name asc" }).names).toEqual(["b", "c"]);
    for (const other of [{ sort_by: "name desc" }, {}, { sort_by: "name", filter }]) {
      expect(refusal({ page_token: token, ...other })).toContain("page token");
    }
  });

  test("a token of one scope is refused in another", () => {
    for (const name of ["a", "b", "c"]) add(name);
    const scope = (name: string) => [{ sql: "name <> ?", values: [name] }];
    const parameters = new URLSearchParams({ page_size: "1" });
    const first = lists.list<Thing>(THINGS, scope("x"), parameters);
    parameters.set("page_token", first.nextPageToken ?? "");
    expect(lists.list<Thing>(THINGS, scope("x"), parameters).rows[0]?.name).toBe("b");
    expect(() => lists.list<Thing>(THINGS, scope("y"), parameters)).toThrow(ApiError);
  });

  test.each(["nonsense", "e30", Buffer.from("[1,2,3,4]").toString("base64url")])(
    "refuses %s as a token",
    (token) => {
      expect(refusal({ page_token: token })).toContain("no page token");
    },
  );
});

describe("sorting", () => {
  test("is by creation, ascending, when nothing is said", () => {
    add("late", 2000);
    add("early", 1000);
    expect(page().names).toEqual(["early", "late"]);
    expect(page({ sort_by: "" }).names).toEqual(["early", "late"]);
  });

  test.each([
    ["name", ["a", "b"]],
    ["name asc", ["a", "b"]],
    ["name desc", ["b", "a"]],
    ["  name   DESC ", ["b", "a"]],
  ])("takes %j", (sort, names) => {
    add("b");
    add("a");
    expect(page({ sort_by: sort }).names).toEqual(names);
  });

  test.each(["size", "name down", "name asc, created_at", "sequence"])("refuses %j", (sort) => {
    expect(refusal({ sort_by: sort })).toContain("sort");
  });
});

describe("filtering", () => {
  beforeEach(() => {
    add("alpha", 1_000_500, { team: "a" });
    add("beta", 2_000_000, { team: "b" });
    add("50%_off", 3_000_000);
  });

  test.each([
    ["EQUALS", "beta", ["beta"]],
    ["NOT_EQUALS", "beta", ["alpha", "50%_off"]],
    ["GREATER_THAN", "alpha", ["beta"]],
    ["GREATER_THAN_EQUALS", "alpha", ["alpha", "beta"]],
    ["LESS_THAN", "beta", ["alpha", "50%_off"]],
    ["LESS_THAN_EQUALS", "beta", ["alpha", "beta", "50%_off"]],
    ["IS_SUBSTRING", "ET", ["beta"]],
    ["IS_SUBSTRING", "%_", ["50%_off"]],
  ])("%s %j on text", (operation, value, names) => {
    expect(filtered({ operation, key: "name", string_value: value })).toEqual(names);
  });

  test.each([1, 2, 3, 5, 6, 7, 9])("operation %i is known by its number", (operation) => {
    const predicate = { operation, key: "name", stringValue: "nobody" };
    expect(refusal({ filter: JSON.stringify({ predicates: [predicate] }) })).toBe("accepted");
  });

  test.each(["IN", 8])("%p takes a list", (operation) => {
    const predicate = { operation, key: "name", string_values: { values: ["beta", "gamma"] } };
    expect(filtered(predicate)).toEqual(["beta"]);
  });

  test("times are compared in whole seconds, as they are shown", () => {
    const at = (operation: string, time: string): string[] =>
      filtered({ operation, key: "created_at", timestamp_value: time });
    expect(at("EQUALS", "1970-01-01T00:16:40Z")).toEqual(["alpha"]);
    expect(at("NOT_EQUALS", "1970-01-01T00:16:40Z")).toEqual(["beta", "50%_off"]);
    expect(at("GREATER_THAN", "1970-01-01T00:16:40Z")).toEqual(["beta", "50%_off"]);
    expect(at("GREATER_THAN_EQUALS", "1970-01-01T01:16:40+01:00")).toEqual([
      "alpha",
      "beta",
      "50%_off",
    ]);
    expect(at("LESS_THAN", "1970-01-01T00:16:40Z")).toEqual([]);
    expect(at("LESS_THAN_EQUALS", "1970-01-01T00:16:40Z")).toEqual(["alpha"]);
  });

  test("64-bit numbers come as text too and count seconds", () => {
    expect(filtered({ operation: "EQUALS", key: "created_at", longValue: "2000" })).toEqual([
      "beta",
    ]);
    const list = { operation: "IN", key: "created_at", long_values: { values: ["1000", 3000] } };
    expect(filtered(list)).toEqual(["alpha", "50%_off"]);
  });

  test("all predicates must hold", () => {
    expect(
      filtered(
        { operation: "NOT_EQUALS", key: "name", string_value: "alpha" },
        { operation: "LESS_THAN", key: "created_at", timestamp_value: "1970-01-01T00:40:00Z" },
      ),
    ).toEqual(["beta"]);
  });

  test("the total counts what the filter lets through", () => {
    const filter = JSON.stringify({
      predicates: [{ operation: 2, key: "name", stringValue: "beta" }],
    });
    const found = page({ filter, page_size: "1" });
    expect([found.names, found.totalSize]).toEqual([["alpha"], 2]);
  });

  test("tags are found by equality", () => {
    expect(filtered({ operation: "EQUALS", key: "tags.team", string_value: "b" })).toEqual([
      "beta",
    ]);
    expect(filtered({ operation: "EQUALS", key: "tags.nothing", string_value: "b" })).toEqual([]);
  });

  test("a value is never read as SQL", () => {
    const value = "' OR 1=1 --";
    expect(filtered({ operation: "EQUALS", key: "name", string_value: value })).toEqual([]);
    expect(filtered({ operation: "EQUALS", key: `tags.${value}`, string_value: value })).toEqual(
      [],
    );
  });

  test("empty filters let everything through", () => {
    expect(page({ filter: "" }).names).toHaveLength(3);
    expect(page({ filter: "{}" }).names).toHaveLength(3);
  });

  const equals = { operation: "EQUALS", key: "name", string_value: "x" };
  test.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["an unknown field", { predicats: [] }],
    ["an unknown field of a predicate", { predicates: [{ ...equals, value: "x" }] }],
    ["an unknown key", { predicates: [{ ...equals, key: "size" }] }],
    ["a column that is no key", { predicates: [{ ...equals, key: "created_ms" }] }],
    ["an unknown operation", { predicates: [{ ...equals, operation: "MATCHES" }] }],
    ["an unknown operation number", { predicates: [{ ...equals, operation: 4 }] }],
    ["no value", { predicates: [{ operation: "EQUALS", key: "name" }] }],
    ["two values", { predicates: [{ ...equals, int_value: 1 }] }],
    ["IN with one text", { predicates: [{ ...equals, operation: "IN" }] }],
    ["a number for a text", { predicates: [{ operation: 1, key: "name", int_value: 1 }] }],
    ["a text for a time", { predicates: [{ ...equals, key: "created_at" }] }],
    ["a broken time", { predicates: [{ operation: 1, key: "created_at", timestamp_value: "1" }] }],
    ["a substring of a time", { predicates: [{ ...equals, operation: 9, key: "created_at" }] }],
    ["tags by another operation", { predicates: [{ ...equals, operation: 9, key: "tags.team" }] }],
    ["too many predicates", { predicates: Array.from({ length: 51 }, () => equals) }],
  ])("refuses %s", (_what, filter) => {
    const text = typeof filter === "string" ? filter : JSON.stringify(filter);
    expect(refusal({ filter: text })).toStartWith("Cannot");
  });
});
