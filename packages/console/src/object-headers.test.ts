import { expect, test } from "bun:test";
import { contentDisposition } from "./object-headers.ts";

test("a name with quotes and line breaks cannot leave its header", () => {
  const header = contentDisposition('a/b"\r\nset-cookie: x');
  expect(header).not.toMatch(/[\r\n]/);
  expect(header).toBe(
    `attachment; filename="b___set-cookie_ x"; filename*=UTF-8''b%22%0D%0Aset-cookie%3A%20x`,
  );
});

test("a name beyond ASCII is given exactly, and plainly for old readers", () => {
  expect(contentDisposition("größe.csv")).toBe(
    `attachment; filename="gr__e.csv"; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv`,
  );
});

test("a key that ends in a slash or holds half a character still has a name", () => {
  expect(contentDisposition("folder/")).toContain('filename="download"');
  expect(contentDisposition("\uD800")).toContain("filename*=UTF-8''%EF%BF%BD");
});
