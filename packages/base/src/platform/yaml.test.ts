import { describe, expect, test } from "bun:test";
import { YamlError } from "../yaml.ts";
import { YAML_DEPTH_MAX, parseYamlDocuments } from "./yaml.ts";

function codeOf(text: string): string {
  try {
    parseYamlDocuments(text);
  } catch (error) {
    if (error instanceof YamlError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("parseYamlDocuments", () => {
  test.each([
    ["one mapping", "a: 1", [{ a: 1 }]],
    ["a sequence is one document", "- 1\n- 2", [[1, 2]]],
    ["two documents", "a: 1\n---\nb: 2", [{ a: 1 }, { b: 2 }]],
    ["documents of sequences", "- 1\n---\n- 2", [[1], [2]]],
    ["a start marker", "# said before\n---\na: 1", [{ a: 1 }]],
    ["a directive", "%YAML 1.2\n---\na: 1", [{ a: 1 }]],
    ["end markers and a byte order mark", "\uFEFFa: 1\n...\n---\nb: 2\n...", [{ a: 1 }, { b: 2 }]],
    ["an empty last document", "a: 1\n---\n", [{ a: 1 }, null]],
    ["JSON", '{"a":[1,null,true]}', [{ a: [1, null, true] }]],
    ["dates and yes/no stay text", "a: 2020-01-01\nb: yes", [{ a: "2020-01-01", b: "yes" }]],
    ["the last of equal keys counts", "a: 1\na: 2", [{ a: 2 }]],
    ["aliases", "a: &x [1]\nb: *x", [{ a: [1], b: [1] }]],
    ["merge keys", "a: &x {p: 1}\nb:\n  <<: *x\n  q: 2", [{ a: { p: 1 }, b: { p: 1, q: 2 } }]],
    ["nothing", "", []],
    ["only a comment", "# nothing\n", []],
  ])("reads %s", (_name, text, documents) => {
    expect(parseYamlDocuments(text)).toEqual(documents);
  });

  test("a key named __proto__ is a plain key", () => {
    const [document] = parseYamlDocuments("__proto__: {x: 1}\nb: 2");
    expect(Object.keys(document as object)).toEqual(["__proto__", "b"]);
    expect(Object.getPrototypeOf(document)).toBe(Object.prototype);
  });

  test.each(["a: [1", "a:\n\t- b", "\u0089PNG\r\n\u001a\n\0", "a: *nowhere"])(
    "refuses %j as no YAML",
    (text) => {
      expect(codeOf(text)).toBe("syntax");
    },
  );

  test("takes quoted scalars that go on at the indentation of the dash", () => {
    const text = `list:\n  - "one\\\n  \\ two"\n  - 'three\n\n  four'\n  - |\n    "kept\n      as it is\nnext: 1`;
    expect(parseYamlDocuments(text)).toEqual([
      { list: ["one two", "three\nfour", '"kept\n  as it is\n'], next: 1 },
    ]);
  });

  test("an alias does not reach into the document before", () => {
    expect(codeOf("a: &x 1\n---\nb: *x")).toBe("syntax");
  });

  test("refuses aliases of aliases that expand without measure", () => {
    let text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (let level = 1; level < 12; level += 1) {
      const items = Array.from({ length: 9 }, () => `*a${level - 1}`).join(",");
      text += `a${level}: &a${level} [${items}]\n`;
    }
    expect(codeOf(text)).toBe("too-large");
  });

  test("refuses many aliases of one long text", () => {
    const text = `a: &a ${"x".repeat(1024 * 1024)}\nb: [${Array.from({ length: 70 }, () => "*a").join(",")}]`;
    expect(codeOf(text)).toBe("too-large");
  });

  test("refuses a document that contains itself", () => {
    expect(codeOf("a: &a [*a]")).toBe("too-deep");
  });

  test("refuses nesting over the limit, and takes what is at it", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(codeOf(nested(YAML_DEPTH_MAX))).toBe("accepted");
    expect(codeOf(nested(YAML_DEPTH_MAX + 1))).toBe("too-deep");
    expect(codeOf(nested(200_000))).toBe("too-deep");
  });

  test.each(["a: .nan", "a: .inf"])("refuses %s, which JSON cannot say", (text) => {
    expect(codeOf(text)).toBe("no-json-value");
  });
});
