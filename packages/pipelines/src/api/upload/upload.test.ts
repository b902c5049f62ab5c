import { describe, expect, test } from "bun:test";
import { parseYamlDocuments } from "@kelp/base/platform";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { utf8, utf8Text } from "@kelp/base";
import { ApiError, type ApiErrorCode } from "../errors.ts";
import { UNPACKED_BYTES_MAX } from "../limits.ts";
import { readTarGz, readZip } from "./archive.ts";
import { parseMultipart } from "./multipart.ts";
import { readPackage } from "./package.ts";

function codeOf(work: () => unknown): ApiErrorCode | "accepted" {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
  return "accepted";
}

/** A zip file of one file whose headers promise `promisedBytes`, packed faster than by the library. */
function zipOf(name: string, bytes: Uint8Array, promisedBytes: number): Uint8Array {
  const packed = deflateRawSync(bytes);
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(20, 0);
  shared.writeUInt16LE(8, 4);
  shared.writeUInt32LE(crc32(bytes), 10);
  shared.writeUInt32LE(packed.length, 14);
  shared.writeUInt32LE(promisedBytes, 18);
  shared.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), shared, Buffer.from(name), packed]);
  const central = Buffer.concat([
    Buffer.from("PK\u0001\u0002\u0014\0"),
    shared,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

describe("multipart", () => {
  const type = "multipart/form-data; boundary=xyz";
  const parse = (body: string, contentType = type) =>
    parseMultipart(contentType, utf8(body)).map((part) => ({
      ...part,
      content: utf8Text(part.content),
    }));

  test("gives names, file names and contents, line breaks at their ends included", () => {
    const body =
      '--xyz\r\nContent-Disposition: form-data; name="uploadfile"; filename="a b.yaml"\r\n' +
      "Content-Type: application/octet-stream\r\n\r\na: 1\r\n\r\n" +
      "--xyz\r\ncontent-disposition: form-data; name=other\r\n\r\n\r\n--xyz--\r\n";
    expect(parse(body)).toEqual([
      { name: "uploadfile", fileName: "a b.yaml", content: "a: 1\r\n" },
      { name: "other", fileName: undefined, content: "" },
    ]);
  });

  test("what only looks like the boundary is content", () => {
    const body = '--xyz\r\nContent-Disposition: form-data; name="f"\r\n\r\n--xyz\n-xyz\r\n--xyz--';
    expect(parse(body)[0]?.content).toBe("--xyz\n-xyz");
  });

  test("skips a preamble and knows quoted boundaries and file names", () => {
    const body =
      'preamble\r\n--x z\r\nContent-Disposition: form-data; filename="say \\"hi\\".yaml"; name="f"\r\n\r\nc\r\n--x z--';
    expect(parse(body, 'multipart/form-data; charset=utf-8; boundary="x z"')).toEqual([
      { name: "f", fileName: 'say "hi".yaml', content: "c" },
    ]);
  });

  test("a body of no parts is empty", () => {
    expect(parse("--xyz--\r\n")).toEqual([]);
  });

  test.each([
    ["another content type", "--xyz--", "application/json"],
    ["no boundary", "--xyz--", "multipart/form-data"],
    ["nothing", "", type],
    ["another boundary", "--abc\r\n\r\n\r\n--abc--", type],
    ["no end", '--xyz\r\nContent-Disposition: form-data; name="f"\r\n\r\ncontent', type],
    ["no end of headers", '--xyz\r\nContent-Disposition: form-data; name="f"', type],
    ["a part without a name", "--xyz\r\nContent-Type: text/plain\r\n\r\n\r\n--xyz--", type],
    [
      "too many parts",
      `${'--xyz\r\nContent-Disposition: form-data; name="f"\r\n\r\n\r\n'.repeat(40)}--xyz--`,
      type,
    ],
  ])("refuses %s", (_what, body, contentType) => {
    expect(codeOf(() => parse(body, contentType))).toBe("invalid-argument");
  });
});

describe("archives", () => {
  const content = utf8("a: 1");

  test("the first file of a zip is taken, or pipeline.yaml", () => {
    expect(utf8Text(readZip(zipSync({ "dir/": new Uint8Array(), "b.yaml": content })))).toBe(
      "a: 1",
    );
    const both = zipSync({ "a.yaml": utf8("no"), "pipeline.yaml": content });
    expect(utf8Text(readZip(both))).toBe("a: 1");
  });

  test("stored and deflated files of a zip are read", () => {
    for (const level of [0, 9] as const) {
      expect(utf8Text(readZip(zipSync({ "a.yaml": content }, { level })))).toBe("a: 1");
    }
  });

  test("the first file of a tar.gz is taken, or pipeline.yaml", () => {
    expect(utf8Text(readTarGz(gzipSync(tar({ "b.yaml": "a: 1" }))))).toBe("a: 1");
    const both = tar({ "a.yaml": "no", "./pipeline.yaml": "a: 1" });
    expect(utf8Text(readTarGz(gzipSync(both)))).toBe("a: 1");
  });

  test.each([
    ["an empty zip", () => readZip(zipSync({}))],
    ["a cut zip", () => readZip(zipSync({ "a.yaml": content }).subarray(0, 40))],
    ["what only starts like a zip", () => readZip(utf8("PK and then something else"))],
    ["an empty tar.gz", () => readTarGz(gzipSync(new Uint8Array(1024)))],
    [
      "a cut gzip",
      () => readTarGz(gzipSync(tar({ "a.yaml": "a: 1".repeat(1000) })).subarray(0, 60)),
    ],
    [
      "a tar file that ends early",
      () => readTarGz(gzipSync(tar({ a: "x".repeat(5000) }).subarray(0, 1024))),
    ],
  ])("refuses %s", (_what, read) => {
    expect(codeOf(read)).toBe("invalid-argument");
  });

  describe("bombs, whatever size their headers promise", () => {
    const BOMB = new Uint8Array(UNPACKED_BYTES_MAX + 1);
    const HONEST = zipOf("a.yaml", BOMB, BOMB.length);
    const LYING = zipOf("a.yaml", BOMB, 10);

    // Each on its own: unpacking to the limit is work.
    test.each([
      ["zip", () => readZip(HONEST)],
      ["zip that promises little", () => readZip(LYING)],
      ["tar.gz", () => readTarGz(gzipSync(BOMB))],
    ])(
      "refuses a %s",
      (_what, read) => {
        expect(codeOf(read)).toBe("too-large");
      },
      30_000,
    );

    test("what they are made with makes archives that are read", () => {
      expect(readZip(zipOf("a.yaml", content, content.length))).toEqual(content);
    });
  });

  test("refuses archives of very many files", () => {
    const files = Object.fromEntries(Array.from({ length: 1100 }, (_each, n) => [`${n}`, content]));
    expect(codeOf(() => readZip(zipSync(files)))).toBe("too-large");
  });
});

describe("packages", () => {
  const read = (name: string, bytes: Uint8Array) => readPackage(name, bytes, parseYamlDocuments);

  test("the name tells text, the content tells archives", () => {
    const yaml = utf8("root: {}");
    const wanted = { root: {} };
    expect(read("p.yaml", yaml)).toEqual(wanted);
    expect(read("p.YML", yaml)).toEqual(wanted);
    expect(read("p.json", utf8('{"root":{}}'))).toEqual(wanted);
    expect(read("p.zip", zipSync({ "p.yaml": yaml }))).toEqual(wanted);
    expect(read("p.tar.gz", gzipSync(tar({ "p.yaml": "root: {}" })))).toEqual(wanted);
  });

  test("a platform document is wrapped together with the specification", () => {
    const text = "root: {}\n---\nplatforms: {kubernetes: {}}\n";
    expect(read("p.yaml", utf8(text))).toEqual({
      pipeline_spec: { root: {} },
      platform_spec: { platforms: { kubernetes: {} } },
    });
  });

  test.each([
    ["wrong_format.png", utf8("root: {}")],
    ["p.yaml", utf8("")],
    ["p.yaml", utf8("# only a comment")],
    ["p.yaml", utf8("a: [1")],
    ["p.yaml", utf8("a: 1\n---\nb: 2\n---\nc: 3")],
    ["p.yaml", Uint8Array.of(0xff, 0xfe, 0x41)],
    ["p.zip", utf8("# no zip")],
  ])("refuses %s when it is none", (name, bytes) => {
    expect(codeOf(() => read(name, bytes))).toBe("invalid-argument");
  });
});

/** A tar file of plain files, written from the format's description. */
function tar(files: Readonly<Record<string, string>>): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [name, text] of Object.entries(files)) {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write(`${text.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("0", 156);
    const content = Buffer.alloc(Math.ceil(text.length / 512) * 512);
    content.write(text);
    blocks.push(header, content);
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
