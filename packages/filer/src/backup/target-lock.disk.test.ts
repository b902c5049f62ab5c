import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemDisk, systemHashes, systemRandom } from "@kelp/base/platform";
import { FaultyDisk, temporaryFolder } from "@kelp/base/testing";
import { ManualClock, codeOf } from "../testing/index.ts";
import type { BackupError } from "../errors.ts";
import { TARGET_LOCK_STALE_MS } from "../limits.ts";
import { FolderTarget } from "./folder-target.ts";
import { TargetLock, type TargetUse, type TargetUser } from "./target-lock.ts";

const BACKUP = { operation: "backup", removes: false } as const;
const PRUNING = { operation: "backup", removes: true } as const;
const RESTORE = { operation: "restore", removes: false } as const;
const VERIFICATION = { operation: "verification", removes: false } as const;

class Place implements Disposable {
  readonly #folder = temporaryFolder();
  readonly disk = new FaultyDisk(systemDisk);
  readonly target = new FolderTarget(this.disk, this.#folder.path);
  readonly clock = new ManualClock();
  readonly ended = new Set<number>();

  take(use: TargetUse, user: TargetUser): Promise<TargetLock> {
    return TargetLock.take(this.target, use, {
      clock: this.clock,
      random: systemRandom,
      hashes: systemHashes,
      user,
      hasEnded: ({ host, pid }) => host === user.host && this.ended.has(pid),
    });
  }

  get locks(): string[] {
    return readdirSync(join(this.#folder.path, "locks"));
  }

  writeLock(content: string): void {
    writeFileSync(join(this.#folder.path, "locks", "x.json"), content);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

const HERE = { host: "here", pid: 1 };
const BESIDE = { host: "here", pid: 2 };
const ELSEWHERE = { host: "there", pid: 1 };

test.each([
  [BACKUP, BACKUP, "target-in-use"],
  [PRUNING, BACKUP, "target-in-use"],
  [PRUNING, RESTORE, "target-in-use"],
  [PRUNING, VERIFICATION, "target-in-use"],
  [BACKUP, RESTORE, "none"],
  [BACKUP, VERIFICATION, "none"],
  [RESTORE, RESTORE, "none"],
] as const)(
  "of %o and %o the second is refused with %s, in either order",
  async (left, right, code) => {
    using place = new Place();
    const orders: readonly (readonly [TargetUse, TargetUse])[] = [
      [left, right],
      [right, left],
    ];
    for (const [first, second] of orders) {
      for (const user of [BESIDE, ELSEWHERE]) {
        await using held = await place.take(first, HERE);
        const attempt = place.take(second, user);
        expect(await codeOf(attempt)).toBe(code);
        if (code === "none") await (await attempt)[Symbol.asyncDispose]();
        // The refused one leaves nothing, and takes nothing from the other.
        expect(place.locks).toHaveLength(1);
        await held.assure();
      }
      expect(place.locks).toEqual([]);
      await (await place.take(second, ELSEWHERE))[Symbol.asyncDispose]();
    }
  },
);

test("a refusal says who is there, since when", async () => {
  using place = new Place();
  await using _held = await place.take(BACKUP, ELSEWHERE);
  const message = await place.take(PRUNING, HERE).catch((error: BackupError) => error.message);
  expect(message).toContain(
    "a backup of process 1 on there uses it since 2023-11-14T22:13:20.000Z",
  );
});

test("of two that come at once never both stay", async () => {
  using place = new Place();
  for (let round = 0; round < 20; round += 1) {
    const results = await Promise.allSettled([
      place.take(BACKUP, HERE),
      place.take(BACKUP, BESIDE),
      place.take(PRUNING, ELSEWHERE),
    ]);
    const taken = results.filter((result) => result.status === "fulfilled");
    expect(taken.length).toBeLessThanOrEqual(1);
    for (const { value } of taken) await value[Symbol.asyncDispose]();
    expect(place.locks).toEqual([]);
  }
});

test("what a process left that has ended is taken over at once, on another machine after a while", async () => {
  using place = new Place();
  const left = await place.take(BACKUP, BESIDE);
  expect(await codeOf(place.take(BACKUP, HERE))).toBe("target-in-use");
  place.ended.add(BESIDE.pid);
  expect(await codeOf(place.take(BACKUP, ELSEWHERE))).toBe("target-in-use");
  {
    await using _held = await place.take(BACKUP, HERE);
    expect(place.locks).toHaveLength(1);
    // Was it only stopped, it makes no backup visible.
    expect(await codeOf(left.assure())).toBe("target-in-use");
    await left.renew();
    expect(place.locks).toHaveLength(1);
  }
  await using elsewhere = await place.take(BACKUP, ELSEWHERE);
  place.clock.advance(TARGET_LOCK_STALE_MS);
  expect(await codeOf(place.take(BACKUP, HERE))).toBe("target-in-use");
  place.clock.advance(1);
  await elsewhere.renew();
  expect(await codeOf(place.take(BACKUP, HERE))).toBe("target-in-use");
  place.clock.advance(TARGET_LOCK_STALE_MS + 1);
  await using _held = await place.take(BACKUP, HERE);
  expect(await codeOf(elsewhere.assure())).toBe("target-in-use");
});

test("an id that this very process has now was another's: a restarted container is not held up by itself", async () => {
  using place = new Place();
  await place.take(BACKUP, HERE);
  await using _held = await place.take(BACKUP, HERE);
  expect(place.locks).toHaveLength(1);
});

test("who only reads goes on where nothing can be written; who writes is refused", async () => {
  using place = new Place();
  place.disk.spaceBytes = 0;
  {
    await using held = await place.take(RESTORE, HERE);
    await held.assure();
  }
  expect(await codeOf(place.take(BACKUP, HERE))).toBe("target-full");
});

test("a lock that cannot be read is told, not removed", async () => {
  using place = new Place();
  await (await place.take(BACKUP, HERE))[Symbol.asyncDispose]();
  for (const content of ["", "half", `{}\n${"0".repeat(64)}\n`]) {
    place.writeLock(content);
    expect(await codeOf(place.take(BACKUP, HERE))).toBe("backup-damaged");
    expect(place.locks).toEqual(["x.json"]);
  }
});
