import { expect, test } from "bun:test";
import {
  type Fid,
  type ScannedNeedle,
  type VolumeClient,
  type VolumeStatus,
  needleId,
  volumeId,
} from "@kelp/wire";

/** A world with an empty client, for one test. */
export interface ContractWorld extends AsyncDisposable {
  readonly client: VolumeClient;
}

const ONE = volumeId(1);

function fid(id: number, cookie = 0xc0ffee01): Fid {
  return { volumeId: ONE, needleId: needleId(BigInt(id)), cookie };
}

/** What every `VolumeClient` owes its callers. Call it at the top of a test file. */
export function volumeClientContract(name: string, open: () => Promise<ContractWorld>): void {
  const claim = (text: string, run: (client: VolumeClient) => Promise<void>): void => {
    test(`${name}: ${text}`, async () => {
      await using world = await open();
      await world.client.createVolume(ONE, { collection: "c" });
      await run(world.client);
    });
  };

  claim("read returns the bytes that were appended", async (client) => {
    const data = Uint8Array.from({ length: 5000 }, (_, index) => index * 7);
    await client.append(fid(1), data);
    expect(plain(await client.read(fid(1)))).toEqual(data);
  });

  claim("an empty needle is a needle", async (client) => {
    await client.append(fid(1), new Uint8Array(0));
    expect(plain(await client.read(fid(1)))).toEqual(new Uint8Array(0));
  });

  claim("read of an absent needle is undefined", async (client) => {
    expect(await client.read(fid(1))).toBeUndefined();
  });

  claim("read with another cookie is undefined", async (client) => {
    await client.append(fid(1), Uint8Array.of(1));
    expect(await client.read(fid(1, 2))).toBeUndefined();
  });

  claim("read returns a buffer that later reads do not share", async (client) => {
    await client.append(fid(1), Uint8Array.of(1, 2, 3));
    (await client.read(fid(1)))?.fill(9);
    expect(plain(await client.read(fid(1)))).toEqual(Uint8Array.of(1, 2, 3));
  });

  claim("read into lent memory gives the same bytes, wherever they stand in it", async (client) => {
    const scratch = new Uint8Array(300_000).fill(0xee);
    for (const sizeBytes of [0, 1, 5000, 200_000, 299_990, 400_000]) {
      const data = Uint8Array.from({ length: sizeBytes }, (_, index) => index * 7);
      await client.append(fid(1 + sizeBytes), data);
      expect(plain(await client.read(fid(1 + sizeBytes), scratch))).toEqual(data);
    }
  });

  claim("a removed needle is absent", async (client) => {
    await client.append(fid(1), Uint8Array.of(1));
    await client.remove([fid(1)]);
    expect(await client.read(fid(1))).toBeUndefined();
  });

  claim("remove skips absent needles and other cookies", async (client) => {
    await client.append(fid(1), Uint8Array.of(1));
    await client.remove([fid(7), fid(1, 2)]);
    expect(plain(await client.read(fid(1)))).toEqual(Uint8Array.of(1));
    expect((await statusOf(client))?.deletedBytes).toBe(0);
  });

  claim("removing the same needle many times counts once", async (client) => {
    await client.append(fid(1), Uint8Array.of(1));
    await Promise.all([client.remove([fid(1), fid(1)]), client.remove([fid(1)])]);
    // A record of 16 + (4 + 1 + 1) + 12 = 34 bytes, padded to 40, and one tombstone.
    expect(await statusOf(client)).toMatchObject({
      liveCount: 0,
      deletedCount: 1,
      deletedBytes: 40 + 32,
    });
  });

  claim("a removed id can be appended again", async (client) => {
    await client.append(fid(1), Uint8Array.of(1));
    await client.remove([fid(1)]);
    await client.append(fid(1), Uint8Array.of(2));
    expect(plain(await client.read(fid(1)))).toEqual(Uint8Array.of(2));
  });

  claim("append under the same address replaces", async (client) => {
    await client.append(fid(1), Uint8Array.of(1));
    await client.append(fid(1), Uint8Array.of(2));
    expect(plain(await client.read(fid(1)))).toEqual(Uint8Array.of(2));
    expect(await statusOf(client)).toMatchObject({ liveCount: 1, deletedCount: 1 });
  });

  claim("append refuses an id that exists with another cookie", async (client) => {
    await client.append(fid(1), Uint8Array.of(1));
    expect(await codeOf(client.append(fid(1, 2), Uint8Array.of(2)))).toBe("cookie-mismatch");
    expect(plain(await client.read(fid(1)))).toEqual(Uint8Array.of(1));
  });

  claim("of concurrent appends under one id with two cookies one is refused", async (client) => {
    const appends = [1, 2].map((cookie) =>
      codeOf(client.append(fid(1, cookie), Uint8Array.of(cookie))),
    );
    expect(new Set(await Promise.all(appends))).toEqual(new Set(["cookie-mismatch", undefined]));
    expect(await statusOf(client)).toMatchObject({ liveCount: 1, deletedCount: 0 });
  });

  claim("concurrent appends are all readable", async (client) => {
    const ids = Array.from({ length: 300 }, (_, index) => index + 1);
    await Promise.all(ids.map((id) => client.append(fid(id), new Uint8Array(id).fill(id))));
    for (const id of ids) {
      expect(plain(await client.read(fid(id)))).toEqual(new Uint8Array(id).fill(id));
    }
  });

  claim("scan yields exactly the live needles", async (client) => {
    await client.append(fid(1), new Uint8Array(10));
    await client.append(fid(2, 5), new Uint8Array(20));
    await client.append(fid(3), new Uint8Array(0));
    await client.remove([fid(1)]);
    const scanned: ScannedNeedle[] = [];
    for await (const needle of client.scan(ONE)) scanned.push(needle);
    const live = { kind: "live", appendedNs: expect.any(BigInt) } as const;
    expect(scanned).toEqual([
      { ...live, needleId: needleId(2n), cookie: 5, sizeBytes: 20 },
      { ...live, needleId: needleId(3n), cookie: 0xc0ffee01, sizeBytes: 0 },
    ]);
    for (const needle of scanned) expect(needle).not.toMatchObject({ appendedNs: 0n });
  });

  claim("the status adds up", async (client) => {
    await client.append(fid(5), new Uint8Array(100));
    await client.append(fid(9), new Uint8Array(3));
    await client.remove([fid(9)]);
    // Records: 16 + (4 + 100 + 1) + 12 = 133, padded to 136; 16 + (4 + 3 + 1) + 12 = 36, to 40; a tombstone has 32.
    expect(await statusOf(client)).toMatchObject({
      id: ONE,
      collection: "c",
      sizeBytes: 8 + 136 + 40 + 32,
      liveCount: 1,
      liveBytes: 136,
      deletedCount: 1,
      deletedBytes: 40 + 32,
      needleIdMax: 9n,
      state: "writable",
    });
  });

  claim("a volume is made once", async (client) => {
    expect(await codeOf(client.createVolume(ONE, { collection: "c" }))).toBe("volume-exists");
  });

  claim("a volume that is not there is an error", async (client) => {
    const elsewhere = { ...fid(1), volumeId: volumeId(2) };
    expect(await codeOf(client.append(elsewhere, new Uint8Array(1)))).toBe("no-such-volume");
    expect(await codeOf(client.read(elsewhere))).toBe("no-such-volume");
    expect(await codeOf(client.remove([elsewhere]))).toBe("no-such-volume");
  });
}

/** The stable code of the error that `work` fails with; `undefined` when it succeeds. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

async function statusOf(client: VolumeClient): Promise<VolumeStatus | undefined> {
  return (await client.volumes())[0];
}

function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : Uint8Array.from(bytes);
}
