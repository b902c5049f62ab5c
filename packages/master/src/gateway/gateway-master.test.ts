import { expect, test } from "bun:test";
import { CallError, type CallPeer } from "@kelp/base";
import { type AssignRequest, type Fid, type VolumeId, needleId, volumeId } from "@kelp/wire";
import { LEASED_IDS } from "../limits.ts";
import { GatewayMaster } from "./gateway-master.ts";
import { ASSIGN_CALL, LEASE_CALL } from "./master-calls.ts";

const REQUEST: AssignRequest = { collection: "c", sizeBytes: 1 };
const BY_OWNER: Fid = { volumeId: volumeId(9), needleId: needleId(1n), cookie: 1 };

/** The process that has the master. It leases ids one after another, and may be away. */
class Owner {
  isAway = false;
  leaseCount = 0;
  readonly assigned: AssignRequest[] = [];
  #next = 1n;

  readonly peer = {
    call: async (name: string, argument: unknown): Promise<unknown> => {
      if (this.isAway) throw new CallError("peer-gone", `Cannot call ${name}`);
      if (name === ASSIGN_CALL) {
        this.assigned.push(argument as AssignRequest);
        return BY_OWNER;
      }
      expect(name).toBe(LEASE_CALL);
      this.leaseCount += 1;
      const first = this.#next;
      this.#next += BigInt(argument as number);
      return first;
    },
  } as unknown as CallPeer;
}

function masterOf(owner: Owner, volumes: { picked: VolumeId | undefined; borrowed?: VolumeId }) {
  return new GatewayMaster({
    owner: owner.peer,
    random: { uint32: () => 7 },
    volumes: {
      pick: () => volumes.picked,
      borrow: async () => {
        volumes.picked = volumes.borrowed;
      },
    },
  });
}

test("ids come from leased ranges, and two gateways never have one in common", async () => {
  const owner = new Owner();
  const gateways = [1, 2].map((id) => masterOf(owner, { picked: volumeId(id) }));
  const seen = new Set<bigint>();
  for (let index = 0; index < LEASED_IDS * 2 + 10; index++) {
    for (const gateway of gateways) {
      const fid = await gateway.assign(REQUEST);
      expect(seen.has(fid.needleId)).toBe(false);
      seen.add(fid.needleId);
    }
  }
  expect(owner.leaseCount).toBe(6);
});

test("many that ask at once share one lease, and each has an id of its own", async () => {
  const owner = new Owner();
  const gateway = masterOf(owner, { picked: volumeId(1) });
  const count = LEASED_IDS + 5;
  const fids = await Promise.all(Array.from({ length: count }, () => gateway.assign(REQUEST)));
  expect(new Set(fids.map(({ needleId: id }) => id)).size).toBe(count);
  expect(owner.leaseCount).toBe(2);
});

test("a lease that was lost on its way is asked for again, and never used", async () => {
  const owner = new Owner();
  const gateway = masterOf(owner, { picked: volumeId(1) });
  owner.isAway = true;
  for (let round = 0; round < 2; round++) {
    const refused = await gateway.assign(REQUEST).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CallError);
  }
  owner.isAway = false;
  expect((await gateway.assign(REQUEST)).needleId).toBe(needleId(1n));
  // A gateway that begins anew gets the next range: what the first had left is nobody's.
  expect((await masterOf(owner, { picked: volumeId(1) }).assign(REQUEST)).needleId).toBe(
    needleId(BigInt(LEASED_IDS) + 1n),
  );
});

test("what a gateway has no volume for is assigned by the owner", async () => {
  const owner = new Owner();
  const borrowing = masterOf(owner, { picked: undefined, borrowed: volumeId(4) });
  expect((await borrowing.assign(REQUEST)).volumeId).toBe(volumeId(4));
  const without = masterOf(owner, { picked: undefined });
  expect(await without.assign(REQUEST)).toEqual(BY_OWNER);
  const special: AssignRequest[] = [
    { ...REQUEST, count: 2 },
    { ...REQUEST, replicaPlacement: 1 },
    { ...REQUEST, diskType: "ssd" },
    { ...REQUEST, ttl: { count: 3, unit: "day" } },
  ];
  for (const request of special) expect(await borrowing.assign(request)).toEqual(BY_OWNER);
  expect(owner.assigned).toEqual([REQUEST, ...special]);
});
