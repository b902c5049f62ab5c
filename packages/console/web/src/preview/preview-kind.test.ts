import { expect, test } from "bun:test";
import { previewKind } from "./preview-kind.ts";

test("the name decides before the content type", () => {
  const contentType = "application/octet-stream";
  expect(previewKind({ key: "a/b.PARQUET", contentType })).toBe("parquet");
  expect(previewKind({ key: "a.csv/b", contentType: "text/markdown; charset=utf-8" })).toBe(
    "markdown",
  );
});

test("an artifact type decides before the name", () => {
  expect(
    previewKind({ key: "page.txt", contentType: "text/plain", artifactType: "system.HTML" }),
  ).toBe("html");
});

test("unknown bytes are not shown", () => {
  expect(previewKind({ key: "model", contentType: "application/octet-stream" })).toBe("none");
  expect(previewKind({ key: ".png", contentType: "" })).toBe("image");
});
