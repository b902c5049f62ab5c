import { expect, test } from "bun:test";
import { addressOf, requireBucketName, requireKey } from "./address.ts";
import { codeOf } from "../auth/testing.ts";

test("the first segment is the bucket and all the rest the key", () => {
  const of = (path: string): unknown => addressOf(path, "localhost", []);
  expect(of("/")).toEqual({ level: "service" });
  expect(of("/b")).toEqual({ level: "bucket", bucket: "b" });
  expect(of("/b/")).toEqual({ level: "bucket", bucket: "b" });
  expect(of("/b/k")).toEqual({ level: "object", bucket: "b", key: "k" });
  expect(of("/b//k/")).toEqual({ level: "object", bucket: "b", key: "/k/" });
  expect(of("/b/../%2E%2e/a+b%2Fc%20")).toEqual({
    level: "object",
    bucket: "b",
    key: "../../a+b/c ",
  });
});

test("a bucket before a domain of ours takes the whole path as key", () => {
  const of = (path: string, host: string): unknown => addressOf(path, host, ["s3.example.com"]);
  expect(of("/k/l", "Bkt.s3.example.com:9000")).toEqual({
    level: "object",
    bucket: "bkt",
    key: "k/l",
  });
  expect(of("/", "a.b.s3.example.com")).toEqual({ level: "bucket", bucket: "a.b" });
  expect(of("/b/k", "s3.example.com")).toEqual({ level: "object", bucket: "b", key: "k" });
  expect(of("/b/k", "evils3.example.com")).toEqual({ level: "object", bucket: "b", key: "k" });
});

test("names that cannot be are refused", () => {
  expect(codeOf(() => requireBucketName("Bad_Name"))).toBe("InvalidBucketName");
  expect(codeOf(() => requireBucketName(".."))).toBe("InvalidBucketName");
  expect(codeOf(() => requireKey("é".repeat(513)))).toBe("KeyTooLongError");
  expect(codeOf(() => requireKey("é".repeat(512)))).toBe("accepted");
  expect(codeOf(() => requireKey("a\0b"))).toBe("InvalidArgument");
});
