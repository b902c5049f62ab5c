import { describe, expect, test } from "bun:test";
import { childText, childrenNamed, parseDocument } from "./parse.ts";
import { element, escapeXml } from "./builder.ts";
import { codeOf } from "../auth/testing.ts";
import { utf8 } from "@kelp/base";

const parse = (text: string): ReturnType<typeof parseDocument> => parseDocument(utf8(text), "Root");

test("escaped text comes back from a parser as it was", () => {
  const text = "a&b<c>\"d\"'e'\tf\ng\rh é 𝒳 \u0085";
  const root = parse(`<Root>${element("Key", text)}</Root>`);
  expect(childText(root, "Key")).toBe(text);
});

test("characters that XML cannot hold become references, never themselves", () => {
  expect(escapeXml("\u0001\u001f\ufffe")).toBe("&#x1;&#x1F;&#xFFFE;");
});

test("namespaces and prefixes are no hindrance", () => {
  const root = parse(
    '<s:Root xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/"><s:A>1</s:A><s:A>2</s:A></s:Root>',
  );
  expect(childrenNamed(root, "A").map((child) => child.text)).toEqual(["1", "2"]);
});

describe("hostile documents are malformed, quickly", () => {
  const cases: Readonly<Record<string, string>> = {
    "no document": "",
    "another root": "<Other/>",
    "an unclosed element": "<Root><A></Root>",
    "a document type": "<!DOCTYPE Root [<!ENTITY a 'b'>]><Root>&a;</Root>",
    "entities that multiply": `<!DOCTYPE Root [${"<!ENTITY a '&b;&b;&b;'>".repeat(10)}]><Root>&a;</Root>`,
    "an unknown entity": "<Root>&nope;</Root>",
    "deep nesting": `<Root>${"<a>".repeat(100_000)}${"</a>".repeat(100_000)}</Root>`,
    "hidden deep nesting": `<Root>${"<a><![CDATA[</a></a>]]>".repeat(100_000)}${"</a>".repeat(100_000)}</Root>`,
    "a raw control character": "<Root>\u0001</Root>",
  };
  for (const [name, text] of Object.entries(cases)) {
    test(name, () => {
      expect(codeOf(() => parse(text))).toBe("MalformedXML");
    });
  }
  test("bytes that are no UTF-8", () => {
    const bytes = Buffer.from("<Root>\xe9</Root>", "latin1");
    expect(codeOf(() => parseDocument(bytes, "Root"))).toBe("MalformedXML");
  });
  test("an element that may stand once, twice", () => {
    const root = parse("<Root><A>1</A><A>2</A></Root>");
    expect(codeOf(() => childText(root, "A"))).toBe("MalformedXML");
  });
});
