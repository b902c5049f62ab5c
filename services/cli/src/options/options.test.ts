import { expect, test } from "bun:test";
import { parseConfig } from "./config-file.ts";
import { type OptionDefinition, environmentName } from "./definition.ts";
import { nearestName } from "./nearest.ts";
import { type OptionSources, resolveOptions } from "./resolve.ts";
import { SERVER_OPTIONS } from "./server-options.ts";

const PORT: OptionDefinition & { name: "s3.port" } = {
  name: "s3.port",
  kind: { kind: "port" },
  default: "8333",
  text: "port",
};

function resolvePort(given: {
  flag?: string;
  variable?: string;
  config?: string;
}): string | undefined {
  const sources: OptionSources = {
    flags: { "s3.port": given.flag },
    environment: { KELP_S3_PORT: given.variable },
    config: {
      file: "/etc/kelp.yaml",
      folder: "/etc",
      values: new Map(given.config === undefined ? [] : [["s3.port", given.config]]),
    },
    currentFolder: "/tmp",
  };
  return resolveOptions([PORT], sources)["s3.port"];
}

function parse(text: string): Record<string, string> {
  return Object.fromEntries(parseConfig(text, { file: "kelp.yaml", options: SERVER_OPTIONS }));
}

test("a flag wins over the environment, that over the configuration, that over the default", () => {
  expect(resolvePort({ flag: "1", variable: "2", config: "3" })).toBe("1");
  expect(resolvePort({ variable: "2", config: "3" })).toBe("2");
  expect(resolvePort({ config: "3" })).toBe("3");
  expect(resolvePort({})).toBe("8333");
});

test("an empty variable counts as not set", () => {
  expect(resolvePort({ variable: "" })).toBe("8333");
});

test("a port is a whole number up to 65535, and the error names where it stood", () => {
  expect(resolvePort({ flag: "0" })).toBe("0");
  expect(() => resolvePort({ flag: "65536" })).toThrow('--s3.port is "65536"');
  expect(() => resolvePort({ variable: "x" })).toThrow('KELP_S3_PORT is "x"');
  expect(() => resolvePort({ config: "-1" })).toThrow('s3.port in /etc/kelp.yaml is "-1"');
});

test("a share is a number from 0 to 1", () => {
  const option = {
    name: "share",
    kind: { kind: "share" },
    default: "0.3",
    text: "share",
  } as const satisfies OptionDefinition;
  const resolve = (share: string): string | undefined =>
    resolveOptions([option], {
      flags: { share },
      environment: {},
      config: undefined,
      currentFolder: "/tmp",
    }).share;
  expect(["0", "1", ".5", "0.25", "1.0"].map(resolve)).toEqual(["0", "1", "0.5", "0.25", "1"]);
  for (const wrong of ["1.1", "-0.1", "x", "30%", "1e-1", "0."]) {
    expect(() => resolve(wrong)).toThrow("must be a number from 0 to 1");
  }
});

test("a path is taken from the current folder, or from that of the configuration", () => {
  const option = {
    name: "dir",
    kind: { kind: "path", placeholder: "DIR" },
    default: "kelp-data",
    text: "folder",
  } as const satisfies OptionDefinition;
  const base: OptionSources = {
    flags: {},
    environment: {},
    config: undefined,
    currentFolder: "/tmp/here",
  };
  expect(resolveOptions([option], base).dir).toBe("/tmp/here/kelp-data");
  const config = { file: "/etc/k/a.yaml", folder: "/etc/k", values: new Map([["dir", "data"]]) };
  expect(resolveOptions([option], { ...base, config }).dir).toBe("/etc/k/data");
  expect(resolveOptions([option], { ...base, config, flags: { dir: "x" } }).dir).toBe(
    "/tmp/here/x",
  );
});

test("every default passes its own check", () => {
  const sources: OptionSources = {
    flags: {},
    environment: {},
    config: undefined,
    currentFolder: "/tmp",
  };
  expect(Object.keys(resolveOptions(SERVER_OPTIONS, sources))).toHaveLength(SERVER_OPTIONS.length);
});

test("names of variables derive from those of options", () => {
  expect(environmentName("s3.port")).toBe("KELP_S3_PORT");
  expect(environmentName("auth.local-user")).toBe("KELP_AUTH_LOCAL_USER");
  expect(environmentName("volume.sizeLimitMB")).toBe("KELP_VOLUME_SIZE_LIMIT_MB");
});

test("no two options share a variable", () => {
  const names = SERVER_OPTIONS.map((option) => environmentName(option.name));
  expect(new Set(names).size).toBe(names.length);
});

test("a configuration may be dotted, nested, or both", () => {
  expect(parse("s3.port: 1\nconsole:\n  port: 2\nip.bind: 0.0.0.0\nip: 10.0.0.1\n")).toEqual({
    "s3.port": "1",
    "console.port": "2",
    "ip.bind": "0.0.0.0",
    ip: "10.0.0.1",
  });
});

test("an empty configuration is one without options", () => {
  expect(parse("")).toEqual({});
  expect(parse("# nothing yet\n")).toEqual({});
});

test("on and off are understood in every spelling of YAML", () => {
  expect(parse("auth.local-user: off\n")["auth.local-user"]).toMatch(/^(?:off|false)$/);
  expect(parse("auth.local-user: false\n")).toEqual({ "auth.local-user": "false" });
});

test("an unknown name in the configuration is refused with the nearest known one", () => {
  expect(() => parse("s3.prot: 1\n")).toThrow("there is no option s3.prot; did you mean s3.port?");
  expect(() => parse("s3:\n  prot: 1\n")).toThrow("did you mean s3.port?");
  expect(() => parse("something.else.entirely: 1\n")).toThrow(
    "there is no option something.else.entirely",
  );
});

test("a configuration that is no map, no YAML, or holds a list is refused", () => {
  expect(() => parse("- a\n- b\n")).toThrow("must be a map");
  expect(() => parse("a: [")).toThrow("it is not YAML");
  expect(() => parse("s3.port: [1, 2]\n")).toThrow("s3.port must be one text");
  expect(() => parse("s3.port: 1\ns3:\n  port: 2\n")).toThrow("s3.port stands there twice");
});

test("the nearest name is near", () => {
  expect(nearestName("loglevel", ["log.level", "ip"])).toBe("log.level");
  expect(nearestName("zzzzzz", ["log.level", "ip"])).toBeUndefined();
});
