import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { type SqlDatabase, silentLog, unreachable } from "@kelp/base";
import { openDatabase, systemClock, systemHashes, systemRandom } from "@kelp/base/platform";
import type { AccessKeyId, DoorAdmission, DoorQuestion, GateRequest } from "@kelp/wire";
import { type Iam, openIam } from "../index.ts";
import { type OpenDoorGate, openDoorGate, openPeopleGate } from "./index.ts";

const TOKEN = "console-token-for-tests";
const KEYS = {
  needleWrite: "needle-write",
  needleRead: "needle-read",
  pathWrite: "path-write",
  pathRead: "path-read",
};
const USER = 1000;

class World {
  nowMs = 1_800_000_000_000;
  readonly database: SqlDatabase = openDatabase(":memory:");
  readonly sleeping: { readonly delayMs: number; readonly wake: () => void }[] = [];
  readonly clock = {
    ...systemClock,
    nowMs: () => this.nowMs,
    monotonicMs: () => this.nowMs,
    sleep: (delayMs: number): Promise<void> =>
      new Promise((wake) => this.sleeping.push({ delayMs, wake })),
  };
  readonly iam: Iam = openIam({
    database: this.database,
    root: { accessKeyId: "rootkey", secret: "root-secret" },
    clock: this.clock,
    random: systemRandom,
    hashes: systemHashes,
    log: silentLog,
  });
  readonly gate: OpenDoorGate;

  constructor() {
    const common = { keys: this.iam, clock: this.clock, hashes: systemHashes, log: silentLog };
    const people = openPeopleGate({
      ...common,
      database: this.database,
      token: TOKEN,
      localUser: {
        kind: "same-user",
        boundAddress: "127.0.0.1",
        userId: USER,
        peers: { userOf: () => Promise.resolve(USER) },
      },
      advertisedHosts: [],
      scheme: "http",
      random: systemRandom,
      hashes: systemHashes,
    });
    this.gate = openDoorGate({ ...common, people, signingKeys: KEYS });
  }

  async ask(
    headers: Readonly<Record<string, string>> = {},
    more: Partial<GateRequest & DoorQuestion> = {},
  ): Promise<string> {
    const { effect = "reads", tokens = "needle", queryToken, ...request } = more;
    const admission = await this.gate.admit(
      {
        method: "GET",
        headers: { host: "localhost:8080", ...headers },
        remoteAddress: "127.0.0.1",
        remotePort: 50_000,
        localAddress: "127.0.0.1",
        localPort: 8080,
        ...request,
      },
      { effect, tokens, queryToken },
    );
    return outcome(admission);
  }
}

function outcome(admission: DoorAdmission): string {
  switch (admission.kind) {
    case "admitted":
      return admission.principal.name;
    case "granted":
      return JSON.stringify(admission.grant);
    case "refused":
      return String(admission.status);
    default:
      return unreachable(admission);
  }
}

function basic(pair: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

/** Made with other means than the gate's own. */
function jwt(claims: object, key: string, header: object = { alg: "HS256", typ: "JWT" }): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

test("an access key opens the door as Basic, and stops when it is taken away", async () => {
  const world = new World();
  expect(await world.ask(basic("rootkey:root-secret"))).toBe("root");
  await world.iam.putIdentity({ name: "ann", actions: ["Read"] });
  const { id, secret } = await world.iam.createKey("ann");
  const headers = basic(`${id}:${secret}`);
  expect(await world.ask(headers)).toBe("ann");
  expect(await world.ask(headers)).toBe("ann");
  await world.iam.setKeyActive("ann", id, "inactive");
  expect(await world.ask(headers)).toBe("401");
  await world.iam.setKeyActive("ann", id, "active");
  expect(await world.ask(headers)).toBe("ann");
  await world.iam.deleteKey("ann", id);
  expect(await world.ask(headers)).toBe("401");
  await world.iam.createKey("ann", { id: id as AccessKeyId, secret: "another-secret" });
  expect(await world.ask(headers)).toBe("401");
});

test.each<[string, string]>([
  ["a wrong secret", basic("rootkey:wrong").authorization],
  ["an empty secret", basic("rootkey:").authorization],
  ["no colon", basic("rootkey").authorization],
  ["an empty name", basic(":root-secret").authorization],
  ["an unknown key", basic("nobody:root-secret").authorization],
  ["something that is not base64", "Basic rootkey:root-secret"],
  ["nothing behind Basic", "Basic "],
  ["another scheme", `Digest ${basic("rootkey:root-secret").authorization}`],
  ["a wrong bearer token", "Bearer wrong"],
  ["an empty header", ""],
  ["a huge header", `Basic ${"A".repeat(5000)}`],
])("%s is refused, also for the local user", async (_, authorization) => {
  expect(await new World().ask({ authorization })).toBe("401");
});

test("whoever guesses waits, and whoever holds the key gets in", async () => {
  const world = new World();
  const elsewhere = { remoteAddress: "10.0.0.1" };
  const guess = (): Promise<string> => world.ask(basic("rootkey:guess"));
  for (let count = 0; count < 10; count++) expect(await guess()).toBe("401");
  const guesses = Array.from({ length: 50 }, guess);
  const holder = world.ask(basic("rootkey:root-secret"));
  // Nothing of the guesser's is another's: a holder elsewhere is not even slow.
  expect(await world.ask(basic("rootkey:root-secret"), elsewhere)).toBe("root");
  expect(world.sleeping.map(({ delayMs }) => delayMs)).toEqual(
    Array.from({ length: 51 }, (_, at) => (at + 1) * 100),
  );
  for (const { wake } of world.sleeping) wake();
  expect(await holder).toBe("root");
  expect(await Promise.all(guesses)).toEqual(guesses.map(() => "401"));
});

test("a holder at the guesser's address, unknown so far, gets in at its turn", async () => {
  const world = new World();
  const guess = (): Promise<string> => world.ask(basic("rootkey:guess"));
  for (let count = 0; count < 10; count++) expect(await guess()).toBe("401");
  const flood = Array.from({ length: 63 }, guess);
  const holder = world.ask(basic("rootkey:root-secret"));
  expect(world.sleeping.at(-1)?.delayMs).toBe(64 * 100);
  for (const { wake } of world.sleeping) wake();
  expect(await holder).toBe("root");
  expect(new Set(await Promise.all(flood))).toEqual(new Set(["401"]));
  // What was right once is not asked to wait again.
  const count = world.sleeping.length;
  expect(await world.ask(basic("rootkey:root-secret"))).toBe("root");
  expect(world.sleeping.length).toBe(count);
});

test("no more attempts wait than a bound, and a network of addresses is one guesser", async () => {
  const world = new World();
  const from = (host: number) => ({ remoteAddress: `2001:db8:0:1::${host}` });
  const guess = (host: number): Promise<string> => world.ask(basic("rootkey:guess"), from(host));
  for (let count = 0; count < 10; count++) expect(await guess(count + 1)).toBe("401");
  const flood = Array.from({ length: 100 }, (_, at) => guess(at + 1));
  expect(world.sleeping.length).toBe(64);
  for (const { wake } of world.sleeping) wake();
  expect(new Set(await Promise.all(flood))).toEqual(new Set(["401"]));
});

test("a key that is taken away while its turn is waited for opens nothing", async () => {
  const world = new World();
  await world.iam.putIdentity({ name: "ann", actions: ["Read"] });
  const { id, secret } = await world.iam.createKey("ann");
  for (let count = 0; count < 10; count++) await world.ask(basic(`${id}:guess`));
  const asked = world.ask(basic(`${id}:${secret}`));
  await world.iam.deleteKey("ann", id);
  for (const { wake } of world.sleeping) wake();
  expect(await asked).toBe("401");
});

test("the console token and the local user open the door", async () => {
  expect(await new World().ask({ authorization: `Bearer ${TOKEN}` })).toBe("root");
  expect(await new World().ask()).toBe("root");
  expect(await new World().ask({}, { remoteAddress: "10.0.0.1" })).toBe("401");
  expect(await new World().ask({ host: "evil.example:8080" })).toBe("403");
});

test("a token that the gate signed opens its needle for the access it names, for a while", async () => {
  const world = new World();
  const write = world.gate.signNeedle({ fid: "3,01637037d6", count: 2, access: "write" });
  const grant = '{"kind":"needle","fid":"3,01637037d6","count":2}';
  const headers = { authorization: `BEARER ${write}` };
  expect(await world.ask(headers, { effect: "changes", method: "PUT" })).toBe(grant);
  expect(await world.ask({}, { effect: "changes", method: "PUT", queryToken: write })).toBe(grant);
  expect(await world.ask({ cookie: `AT=${write}` }, { effect: "changes", method: "PUT" })).toBe(
    grant,
  );
  expect(await world.ask(headers)).toBe("401");
  expect(await world.ask(headers, { effect: "changes", tokens: "path" })).toBe("401");
  expect(await world.ask(headers, { effect: "changes", tokens: "none" })).toBe("401");
  world.nowMs += 10_000;
  expect(await world.ask(headers, { effect: "changes" })).toBe("401");
  const read = world.gate.signNeedle({ fid: "3,01637037d6", count: 1, access: "read" });
  expect(await world.ask({ authorization: `Bearer ${read}` })).toContain("3,01637037d6");
  expect(await world.ask({ authorization: `Bearer ${read}` }, { effect: "changes" })).toBe("401");
});

const EXP = 1_800_000_100;
const FID = { fid: "3,01637037d6", exp: EXP };

test("tokens that others signed with the key are taken", async () => {
  const world = new World();
  const bearer = (token: string): { readonly authorization: string } => ({
    authorization: `Bearer ${token}`,
  });
  expect(await world.ask(bearer(jwt(FID, KEYS.needleRead)))).toBe(
    '{"kind":"needle","fid":"3,01637037d6"}',
  );
  const claims = { allowed_prefixes: ["/a"], allowed_methods: ["get"], exp: EXP };
  expect(await world.ask(bearer(jwt(claims, KEYS.pathRead)), { tokens: "path" })).toBe(
    '{"kind":"path","prefixes":["/a"],"methods":["GET"]}',
  );
  expect(await world.ask(bearer(jwt({ exp: EXP }, KEYS.pathRead)), { tokens: "path" })).toBe(
    '{"kind":"path","prefixes":[],"methods":[]}',
  );
});

const unsigned = `${jwt(FID, "", { alg: "none" }).split(".").slice(0, 2).join(".")}.`;

test.each<[string, string, DoorQuestion["tokens"]]>([
  ["of another key", jwt(FID, "other"), "needle"],
  ["of the key for writing", jwt(FID, KEYS.needleWrite), "needle"],
  ["without signature", unsigned, "needle"],
  ["that says it needs none", jwt(FID, KEYS.needleRead, { alg: "none" }), "needle"],
  ["of another algorithm", jwt(FID, KEYS.needleRead, { alg: "HS512" }), "needle"],
  [
    "with an unknown extension",
    jwt(FID, KEYS.needleRead, { alg: "HS256", crit: ["b64"] }),
    "needle",
  ],
  ["that is over", jwt({ ...FID, exp: 1_800_000_000 }, KEYS.needleRead), "needle"],
  ["without an end", jwt({ fid: FID.fid }, KEYS.needleRead), "needle"],
  ["with an end that is no number", jwt({ ...FID, exp: "9999999999" }, KEYS.needleRead), "needle"],
  ["that is not valid yet", jwt({ ...FID, nbf: 1_800_000_050 }, KEYS.needleRead), "needle"],
  ["without a needle", jwt({ exp: EXP }, KEYS.needleRead), "needle"],
  ["with a needle that is no text", jwt({ ...FID, fid: 3 }, KEYS.needleRead), "needle"],
  ["with an odd count", jwt({ ...FID, count: "2" }, KEYS.needleRead), "needle"],
  ["of a needle, for a path", jwt(FID, KEYS.pathRead), "path"],
  ["with odd prefixes", jwt({ allowed_prefixes: "/a", exp: EXP }, KEYS.pathRead), "path"],
  ["with an empty prefix", jwt({ allowed_prefixes: [""], exp: EXP }, KEYS.pathRead), "path"],
  ["with odd methods", jwt({ allowed_methods: [1], exp: EXP }, KEYS.pathRead), "path"],
  ["that is a list", jwt([FID], KEYS.needleRead), "needle"],
])("a token %s is refused", async (_, token, tokens) => {
  const world = new World();
  expect(await world.ask({ authorization: `Bearer ${token}` }, { tokens })).toBe("401");
  expect(await world.ask({}, { tokens, queryToken: token })).toBe("401");
});

test("what another site's page starts is refused, whatever the browser adds to it", async () => {
  const world = new World();
  const read = world.gate.signNeedle({ fid: "3,01637037d6", count: 1, access: "read" });
  for (const credentials of [basic("rootkey:root-secret"), { cookie: `AT=${read}` }, {}]) {
    for (const origin of ["https://evil.example", "null"]) {
      expect(await world.ask({ ...credentials, origin }, { method: "POST" })).toBe("403");
    }
    expect(await world.ask({ ...credentials, "sec-fetch-site": "cross-site" })).toBe("403");
    expect(await world.ask({ ...credentials, "sec-fetch-site": "same-site" })).toBe("403");
  }
});

test("a link on a page elsewhere may show something, and change nothing", async () => {
  const world = new World();
  const visit = {
    "user-agent": "Mozilla/5.0",
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  for (const credentials of [basic("rootkey:root-secret"), {}]) {
    expect(await world.ask({ ...credentials, ...visit })).toBe("root");
    expect(await world.ask({ ...credentials, ...visit }, { effect: "changes" })).toBe("403");
    // An older browser says nothing of where a request began.
    const older = { ...credentials, "user-agent": "Mozilla/5.0" };
    expect(await world.ask(older)).toBe("root");
    expect(await world.ask(older, { effect: "changes" })).toBe("403");
    const typed = { ...older, "sec-fetch-site": "none" };
    expect(await world.ask(typed, { effect: "changes" })).toBe("root");
    const curl = { ...credentials, "user-agent": "curl/8" };
    expect(await world.ask(curl, { effect: "changes" })).toBe("root");
  }
});
