import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { repositoryPath } from "../repository.ts";
import { optionsTable } from "./documentation.ts";
import { SERVER_OPTIONS } from "./server-options.ts";

test("the table of options in docs/operations.md is the one of the program", () => {
  const page = readFileSync(repositoryPath("docs/operations.md"), "utf8");
  const table = /<!-- options -->\n([\s\S]*?)\n<!-- \/options -->/.exec(page)?.[1];
  expect(table).toBe(optionsTable(SERVER_OPTIONS));
});
