/**
 * The walls of the house, in one table. A room sees every room on a floor below its own; a room on its own floor only
 * through that room's `./client` door; nobody above. `neighbours` are exceptions, each with its reason.
 */
export interface Room {
  readonly name: string;
  readonly floor: number;
  /** Third-party packages that the room may import. */
  readonly thirdParty: readonly string[];
  /** Rooms of the same floor whose main door is open to this one. */
  readonly neighbours: readonly string[];
}

const FLOOR = { base: 0, wire: 1, engine: 2, gateway: 3, people: 4, service: 5, outside: 6 };

/** What everybody may use of the runtime, apart from the banned globals. */
export const RUNTIME = /^(?:node:|bun$|bun:)/;

/** What tests and helps for tests may use besides. */
export const TEST_PACKAGES: readonly string[] = ["fast-check", "playwright-core"];

export const ROOMS: readonly Room[] = [
  { name: "base", floor: FLOOR.base, thirdParty: [], neighbours: [] },
  { name: "wire", floor: FLOOR.wire, thirdParty: [], neighbours: [] },
  { name: "volume", floor: FLOOR.engine, thirdParty: [], neighbours: [] },
  { name: "master", floor: FLOOR.engine, thirdParty: [], neighbours: [] },
  { name: "filer", floor: FLOOR.engine, thirdParty: [], neighbours: [] },
  { name: "iam", floor: FLOOR.engine, thirdParty: [], neighbours: [] },
  { name: "lineage", floor: FLOOR.engine, thirdParty: [], neighbours: [] },
  {
    name: "pipelines",
    floor: FLOOR.engine,
    thirdParty: ["@marcbachmann/cel-js", "fflate", "hono", "zod"],
    // What a step produced is recorded in the very transaction that ends the step.
    neighbours: ["lineage"],
  },
  { name: "s3", floor: FLOOR.gateway, thirdParty: ["@rgrove/parse-xml"], neighbours: [] },
  { name: "shell", floor: FLOOR.people, thirdParty: [], neighbours: [] },
  { name: "console", floor: FLOOR.people, thirdParty: ["hono", "zod"], neighbours: [] },
  {
    name: "all-in-one",
    floor: FLOOR.service,
    thirdParty: ["pino", "zod"],
    neighbours: [],
  },
  {
    name: "cli",
    floor: FLOOR.service,
    thirdParty: ["commander", "zod"],
    // `kelp server` starts it.
    neighbours: ["all-in-one"],
  },
];

/** What checks and measures the rest: sees every door, may use the tools of the root. */
export const OUTSIDE: readonly string[] = ["tools", "bench", "conformance", "simulator"];

export function findRoom(name: string): Room | undefined {
  return ROOMS.find((room) => room.name === name);
}
