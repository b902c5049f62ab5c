import { expect, test } from "bun:test";
import { type RunInput, inputText, parseInput, runInputs } from "./run-inputs.ts";

const input = (more: Partial<RunInput>): RunInput => ({
  name: "x",
  type: "STRING",
  description: "",
  isRequired: false,
  defaultValue: undefined,
  literals: [],
  ...more,
});

test("declared parameters come with type, default and whether they are needed", () => {
  const parameters = {
    rate: { parameterType: "NUMBER_DOUBLE", defaultValue: 0.5, isOptional: true },
    name: { parameterType: "STRING" },
  };
  const spec = { pipeline_spec: { root: { inputDefinitions: { parameters } } } };
  expect(runInputs(spec).map((found) => [found.name, found.type, found.isRequired])).toEqual([
    ["rate", "NUMBER_DOUBLE", false],
    ["name", "STRING", true],
  ]);
});

test("an empty required field is refused, an optional one left to its default", () => {
  expect(parseInput(input({ isRequired: true }), "").kind).toBe("wrong");
  expect(parseInput(input({ type: "LIST" }), " ").kind).toBe("absent");
});

test("text that is not of the declared type is refused", () => {
  expect(parseInput(input({ type: "NUMBER_INTEGER" }), "1.5").kind).toBe("wrong");
  expect(parseInput(input({ type: "NUMBER_DOUBLE" }), "ten").kind).toBe("wrong");
  expect(parseInput(input({ type: "LIST" }), '{"a":1}').kind).toBe("wrong");
  expect(parseInput(input({ type: "STRUCT" }), "[1]").kind).toBe("wrong");
  expect(parseInput(input({ type: "STRUCT" }), "{").kind).toBe("wrong");
});

test("what the form shows of a value gives that value back", () => {
  const cases: readonly (readonly [RunInput["type"], unknown])[] = [
    ["STRING", "a b"],
    ["NUMBER_INTEGER", -3],
    ["NUMBER_DOUBLE", 1e-9],
    ["BOOLEAN", false],
    ["LIST", [1, "a", null]],
    ["STRUCT", { a: { b: [] } }],
  ];
  for (const [type, value] of cases) {
    const declared = input({ type });
    expect(parseInput(declared, inputText(declared, value))).toEqual({ kind: "value", value });
  }
});
