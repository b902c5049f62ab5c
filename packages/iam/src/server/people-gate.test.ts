import { expect, test } from "bun:test";
import { type Clock, type PeerUsers, type SqlDatabase, silentLog } from "@kelp/base";
import { openDatabase, systemClock, systemHashes, systemRandom } from "@kelp/base/platform";
import type { AccessKeyId, Admission, GateRequest, PeopleGate } from "@kelp/wire";
import { type Iam, openIam } from "../index.ts";
import { type LocalUserTrust, openPeopleGate } from "./index.ts";

const TOKEN = "console-token-for-tests";
const HOUR_MS = 3_600_000;
const HOME = "127.0.0.1";

class World {
  nowMs = 1_800_000_000_000;
  readonly database: SqlDatabase = openDatabase(":memory:");
  readonly iam: Iam;
  readonly clock = { ...systemClock, nowMs: () => this.nowMs, monotonicMs: () => this.nowMs };

  constructor() {
    this.iam = openIam({
      database: this.database,
      root: { accessKeyId: "rootkey", secret: "root-secret" },
      clock: this.clock,
      random: systemRandom,
      hashes: systemHashes,
      log: silentLog,
    });
  }

  gate(
    localUser: LocalUserTrust = { kind: "off" },
    { token }: { readonly token: string | undefined } = { token: TOKEN },
    clock: Clock = this.clock,
  ): PeopleGate {
    return openPeopleGate({
      database: this.database,
      keys: this.iam,
      token,
      localUser,
      advertisedHosts: ["kelp.example", "kelp.example:8443"],
      scheme: "http",
      clock,
      random: systemRandom,
      hashes: systemHashes,
      log: silentLog,
    });
  }
}

type Headers = Readonly<Record<string, string | string[]>>;

function visit(headers: Headers = {}, more: Partial<GateRequest> = {}): GateRequest {
  return {
    method: "POST",
    headers: { host: "localhost:9000", ...headers },
    remoteAddress: "127.0.0.1",
    remotePort: 50_000,
    localAddress: "127.0.0.1",
    localPort: 9000,
    ...more,
  };
}

function peersAnswering(user: number | undefined): PeerUsers & { asked: number } {
  const peers = {
    asked: 0,
    userOf: () => {
      peers.asked += 1;
      return Promise.resolve(user);
    },
  };
  return peers;
}

function trusting(user: number | undefined, boundAddress = "127.0.0.1"): LocalUserTrust {
  return { kind: "same-user", boundAddress, userId: 1000, peers: peersAnswering(user) };
}

function outcome(admission: Admission): string {
  return admission.kind === "admitted"
    ? `${admission.principal.name} by ${admission.via}`
    : String(admission.status);
}

async function signedIn(gate: PeopleGate): Promise<string> {
  const signed = await gate.signIn({
    accessKey: "rootkey",
    secretKey: "root-secret",
    remoteAddress: HOME,
  });
  return signed?.cookie.split(";")[0] ?? "";
}

test("the console token admits root, under any host name and from any site", async () => {
  const gate = new World().gate();
  for (const headers of [
    { authorization: `Bearer ${TOKEN}` },
    { authorization: `bearer  ${TOKEN}`, host: "elsewhere", origin: "https://other.example" },
  ]) {
    expect(outcome(await gate.admit(visit(headers)))).toBe("root by token");
  }
});

test.each<[string, Headers]>([
  ["a wrong token", { authorization: "Bearer wrong" }],
  ["the beginning of the token", { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
  ["more than the token", { authorization: `Bearer ${TOKEN}x` }],
  ["an empty token", { authorization: "Bearer " }],
  ["an empty header", { authorization: "" }],
  ["another scheme", { authorization: `Basic ${TOKEN}` }],
  ["a huge token", { authorization: `Bearer ${"x".repeat(5000)}` }],
  ["two headers", { authorization: [`Bearer ${TOKEN}`, `Bearer ${TOKEN}`] }],
  ["an unknown cookie", { cookie: "kelp_session=unknown" }],
  ["an empty cookie", { cookie: "kelp_session=" }],
  ["an unknown cookie among others", { cookie: "a=b; kelp_session=unknown; c=d" }],
])("%s is refused, also for the local user", async (_, headers) => {
  expect(outcome(await new World().gate(trusting(1000)).admit(visit(headers)))).toBe("401");
});

test("without a console token no bearer token is accepted", async () => {
  for (const token of [undefined, ""]) {
    const gate = new World().gate({ kind: "off" }, { token });
    for (const authorization of ["Bearer undefined", "Bearer ", `Bearer ${TOKEN}`]) {
      expect(outcome(await gate.admit(visit({ authorization })))).toBe("401");
    }
  }
});

test("with nothing presented and no trust there is only signing in", async () => {
  expect(outcome(await new World().gate().admit(visit()))).toBe("401");
  expect(outcome(await new World().gate().admit(visit({ cookie: "other=1" })))).toBe("401");
});

test("signing in opens a session that admits its principal", async () => {
  const world = new World();
  const gate = world.gate();
  await world.iam.putIdentity({ name: "ann", actions: ["Read"] });
  const { id, secret } = await world.iam.createKey("ann");
  const signed = await gate.signIn({ accessKey: id, secretKey: secret, remoteAddress: HOME });
  expect(signed?.principal).toEqual({ kind: "identity", name: "ann" });
  expect(signed?.cookie).toMatch(
    /^kelp_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/,
  );
  const cookie = signed?.cookie.split(";")[0] ?? "";
  expect(outcome(await gate.admit(visit({ cookie })))).toBe("ann by session");
  expect(outcome(await gate.admit(visit({ cookie: `a=1; ${cookie}; b=2` })))).toBe(
    "ann by session",
  );
  expect(outcome(await gate.admit(visit({ cookie: `${cookie}; kelp_session=x` })))).toBe("401");
});

test.each([
  ["rootkey", "wrong-secret"],
  ["rootkey", ""],
  ["nobody", "root-secret"],
  ["", ""],
])("signing in with %p and %p is refused", async (accessKey, secretKey) => {
  expect(
    await new World().gate().signIn({ accessKey, secretKey, remoteAddress: HOME }),
  ).toBeUndefined();
});

test("a restart keeps people signed in", async () => {
  const world = new World();
  const cookie = await signedIn(world.gate());
  expect(outcome(await world.gate().admit(visit({ cookie })))).toBe("root by session");
});

test("the database does not hold what a cookie holds", async () => {
  const world = new World();
  const id = (await signedIn(world.gate())).slice("kelp_session=".length);
  const rows = world.database.prepare<Record<string, unknown>>("SELECT * FROM gate_sessions").all();
  expect(rows).toHaveLength(1);
  const values = Object.values(rows[0] ?? {}).map((value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value),
  );
  const shown = values.join(" ");
  expect(shown).not.toContain(id);
  expect(shown).not.toContain(Buffer.from(id, "base64url").toString("latin1"));
  expect(shown).not.toContain("root-secret");
});

test("a session lasts 12 hours from its last use", async () => {
  const world = new World();
  const gate = world.gate();
  const cookie = await signedIn(gate);
  for (const hours of [11, 11, 12]) {
    world.nowMs += hours * HOUR_MS;
    expect(outcome(await gate.admit(visit({ cookie })))).toBe("root by session");
  }
  world.nowMs += 12 * HOUR_MS + 1;
  expect(outcome(await gate.admit(visit({ cookie })))).toBe("401");
});

test("a session ends after 7 days however much it is used", async () => {
  const world = new World();
  const gate = world.gate();
  const cookie = await signedIn(gate);
  for (let hours = 0; hours < 7 * 24; hours += 8) {
    expect(outcome(await gate.admit(visit({ cookie })))).toBe("root by session");
    world.nowMs += 8 * HOUR_MS;
  }
  world.nowMs += 1;
  expect(outcome(await gate.admit(visit({ cookie })))).toBe("401");
});

test("signing out ends the session and clears the cookie", async () => {
  const gate = new World().gate();
  const cookie = await signedIn(gate);
  const other = await signedIn(gate);
  expect(gate.signOut(visit({ cookie })).cookie).toBe(
    "kelp_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
  );
  expect(outcome(await gate.admit(visit({ cookie })))).toBe("401");
  expect(outcome(await gate.admit(visit({ cookie: other })))).toBe("root by session");
  expect(gate.signOut(visit()).cookie).toContain("Max-Age=0");
});

test("a session ends with its key: deleted, inactive, disabled, or made again with another secret", async () => {
  const world = new World();
  const gate = world.gate();
  await world.iam.putIdentity({ name: "ann", actions: [] });
  const pair = { id: "annkey" as AccessKeyId, secret: "ann-secret" };
  await world.iam.createKey("ann", pair);
  const signed = await gate.signIn({
    accessKey: pair.id,
    secretKey: pair.secret,
    remoteAddress: HOME,
  });
  const cookie = signed?.cookie.split(";")[0] ?? "";
  const now = async (): Promise<string> => outcome(await gate.admit(visit({ cookie })));
  expect(await now()).toBe("ann by session");
  await world.iam.setKeyActive("ann", pair.id, "inactive");
  expect(await now()).toBe("401");
  await world.iam.setKeyActive("ann", pair.id, "active");
  await world.iam.putIdentity({ name: "ann", actions: [], isDisabled: true });
  expect(await now()).toBe("401");
  await world.iam.putIdentity({ name: "ann", actions: [] });
  expect(await now()).toBe("ann by session");
  await world.iam.deleteKey("ann", pair.id);
  expect(await now()).toBe("401");
  await world.iam.createKey("ann", { ...pair, secret: "other-secret" });
  expect(await now()).toBe("401");
});

const FOREIGN: readonly (readonly [string, Headers])[] = [
  ["another host", { host: "evil.example" }],
  ["another host with this port", { host: "evil.example:9000" }],
  ["loopback with another port", { host: "localhost:9001" }],
  ["loopback without port", { host: "localhost" }],
  ["an empty host", { host: "" }],
  ["a host that begins like ours", { host: "localhost.evil.example:9000" }],
  ["two hosts", { host: ["localhost:9000", "evil.example"] }],
  ["a foreign origin", { origin: "http://evil.example" }],
  ["the origin null", { origin: "null" }],
  ["an empty origin", { origin: "" }],
  ["loopback's other port as origin", { origin: "http://localhost:9001" }],
  ["another of our names as origin", { origin: "http://127.0.0.1:9000" }],
  ["a fetch from another site", { "sec-fetch-site": "cross-site" }],
  ["a fetch from another port", { "sec-fetch-site": "same-site" }],
];

test.each(FOREIGN)(
  "%s is refused for the local user, for a session and for a stranger",
  async (_, headers) => {
    const world = new World();
    const gate = world.gate(trusting(1000));
    const cookie = await signedIn(gate);
    expect(outcome(await gate.admit(visit(headers)))).toBe("403");
    expect(outcome(await gate.admit(visit({ cookie, ...headers })))).toBe("403");
    expect(outcome(await world.gate().admit(visit({ cookie, ...headers })))).toBe("403");
    expect(outcome(await world.gate().admit(visit(headers)))).toBe("403");
  },
);

test.each<[string, Headers]>([
  ["localhost", { host: "localhost:9000", origin: "http://localhost:9000" }],
  ["an address", { host: "127.0.0.1:9000" }],
  ["IPv6", { host: "[::1]:9000", origin: "http://[::1]:9000" }],
  ["upper case", { host: "LOCALHOST:9000", origin: "http://LocalHost:9000" }],
  ["an advertised name", { host: "kelp.example", origin: "https://kelp.example" }],
  ["an advertised name and port", { host: "kelp.example:8443" }],
  ["an advertised name with this port", { host: "kelp.example:9000" }],
  ["a fetch of this page", { "sec-fetch-site": "same-origin" }],
  ["a typed address", { "sec-fetch-site": "none" }],
])("%s is this door's own", async (_, headers) => {
  expect(outcome(await new World().gate(trusting(1000)).admit(visit(headers)))).toBe(
    "root by local-user",
  );
});

test("following a link from another site shows a page, and changes nothing", async () => {
  const gate = new World().gate(trusting(1000));
  const link = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  expect(outcome(await gate.admit(visit(link, { method: "GET" })))).toBe("root by local-user");
  expect(outcome(await gate.admit(visit(link, { method: "POST" })))).toBe("403");
  const frame = { ...link, "sec-fetch-dest": "iframe" };
  expect(outcome(await gate.admit(visit(frame, { method: "GET" })))).toBe("403");
});

test("the local user is whom the kernel says, over loopback only", async () => {
  const world = new World();
  const admit = async (trust: LocalUserTrust, more: Partial<GateRequest> = {}): Promise<string> =>
    outcome(await world.gate(trust).admit(visit({}, more)));
  expect(await admit(trusting(1000))).toBe("root by local-user");
  expect(await admit(trusting(1001))).toBe("401");
  expect(await admit(trusting(0))).toBe("401");
  expect(await admit(trusting(undefined))).toBe("401");
  expect(await admit({ kind: "off" })).toBe("401");
  expect(await admit(trusting(1000), { remoteAddress: "10.0.0.1" })).toBe("401");
  expect(await admit(trusting(1000), { localAddress: "10.0.0.1" })).toBe("401");
  expect(await admit(trusting(1000, "0.0.0.0"))).toBe("401");
  expect(await admit(trusting(1000, "::"))).toBe("401");
  expect(await admit(trusting(1000, "::1"))).toBe("root by local-user");
});

test("headers that name a client do not make one local", async () => {
  const headers = { "x-forwarded-for": "127.0.0.1", forwarded: "for=127.0.0.1" };
  const far = visit(headers, { remoteAddress: "10.0.0.1" });
  expect(outcome(await new World().gate(trusting(1000)).admit(far))).toBe("401");
});

test.each([
  "Forwarded",
  "Via",
  "X-Forwarded-For",
  "X-Forwarded-Host",
  "X-Forwarded-Proto",
  "X-Forwarded-Port",
  "X-Forwarded-Server",
  "X-Client-IP",
  "CF-Connecting-IP",
  "X-Real-IP",
])("whoever comes through a proxy that says so with %s is not the local user", async (name) => {
  const gate = new World().gate(trusting(1000));
  const passedOn = { [name.toLowerCase()]: "127.0.0.1" };
  expect(outcome(await gate.admit(visit(passedOn)))).toBe("401");
  const authorization = `Bearer ${TOKEN}`;
  expect(outcome(await gate.admit(visit({ ...passedOn, authorization })))).toBe("root by token");
});

test("the peer is looked up once per connection, and every time without one", async () => {
  const peers = peersAnswering(1000);
  const trust = { kind: "same-user", boundAddress: "127.0.0.1", userId: 1000, peers } as const;
  const gate = new World().gate(trust);
  const connection = {};
  for (let count = 0; count < 3; count++) await gate.admit(visit({}, { connection }));
  expect(peers.asked).toBe(1);
  await gate.admit(visit({}, { connection: {} }));
  expect(peers.asked).toBe(2);
  for (let count = 0; count < 3; count++) await gate.admit(visit());
  expect(peers.asked).toBe(5);
});

test("guessing a secret is slowed down, and forgiven with time", async () => {
  const world = new World();
  const sleeps: number[] = [];
  const sleep = async (delayMs: number): Promise<void> => {
    sleeps.push(delayMs);
    world.nowMs += delayMs;
  };
  const gate = world.gate({ kind: "off" }, { token: TOKEN }, { ...world.clock, sleep });
  const attempt = async (secretKey: string, remoteAddress = HOME): Promise<boolean> =>
    (await gate.signIn({ accessKey: "rootkey", secretKey, remoteAddress })) !== undefined;
  for (let count = 0; count < 10; count++) expect(await attempt("guess")).toBe(false);
  expect(sleeps).toEqual([]);
  for (let count = 0; count < 3; count++) expect(await attempt("guess")).toBe(false);
  expect(sleeps).toEqual([100, 100, 100]);
  // Who holds the key gets in: elsewhere at once, here in turn.
  expect(await attempt("root-secret", "10.0.0.1")).toBe(true);
  expect(sleeps.length).toBe(3);
  expect(await attempt("root-secret")).toBe(true);
  expect(sleeps.length).toBe(4);
  world.nowMs += 20 * 30_000;
  expect(await attempt("guess")).toBe(false);
  expect(sleeps.length).toBe(4);
});

test("a secure door marks its cookie", async () => {
  const world = new World();
  const gate = openPeopleGate({
    database: world.database,
    keys: world.iam,
    token: undefined,
    localUser: { kind: "off" },
    advertisedHosts: [],
    scheme: "https",
    clock: world.clock,
    random: systemRandom,
    hashes: systemHashes,
    log: silentLog,
  });
  expect(gate.signOut(visit()).cookie).toEndWith("; Secure");
});
