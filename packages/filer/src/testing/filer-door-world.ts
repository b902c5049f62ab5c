import { type Clock, silentLog } from "@kelp/base";
import type { HttpDoor } from "@kelp/base/http";
import { systemClock, systemTcpNetwork } from "@kelp/base/platform";
import type { TreeName } from "@kelp/wire";
import { DoorClient, believingGate, listAuthorizer } from "@kelp/wire/testing";
import { openFilerDoor } from "../server/filer-door.ts";
import { type FilerWorld, openFilerWorld } from "./world.ts";

/** The bucket of every `FilerDoorWorld`. */
export const BUCKET = "photos" as TreeName;

export const JSON_ONLY = { headers: { accept: "application/json" } };

/** What the door tells of a folder, as far as tests look at it. */
export interface Listing {
  readonly Entries: readonly { readonly FullPath: string; readonly Mode: number }[] | null;
  readonly LastFileName: string;
  readonly ShouldDisplayLoadMore: boolean;
  readonly EmptyFolder: boolean;
}

/** The door of a filer in memory that has a bucket and a volume of the block kind, and who asks it. */
export class FilerDoorWorld extends DoorClient implements AsyncDisposable {
  readonly world: FilerWorld;
  readonly #door: HttpDoor;

  constructor(world: FilerWorld, door: HttpDoor) {
    super(door.port);
    this.world = world;
    this.#door = door;
  }

  put(path: string, body: string, headers: Record<string, string> = {}): Promise<number> {
    return this.status(path, { method: "PUT", body, headers });
  }

  async list(path: string): Promise<Listing> {
    return (await (await this.ask(path, JSON_ONLY)).json()) as Listing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#door.stop();
    this.world[Symbol.dispose]();
  }
}

/** A world for one test, or for the tests of one file: each takes a folder of its own. */
export async function openFilerDoorWorld(clock: Clock = systemClock): Promise<FilerDoorWorld> {
  const world = openFilerWorld({ clock });
  await world.filer.createTree({ name: BUCKET, kind: "bucket", owner: "root" });
  await world.filer.createTree({ name: "volume-1" as TreeName, kind: "csi-volume", owner: "root" });
  const door = await openFilerDoor({
    filer: world.filer,
    gate: believingGate(),
    authorizer: listAuthorizer(
      "ann s3:GetObject arn:aws:s3:::photos/a.txt",
      "ann s3:ListBucket arn:aws:s3:::photos",
      "bob s3:PutObject arn:aws:s3:::photos/b.txt",
      "eve filer:Read arn:kelp:filer:::/eve/in.txt",
      "eve filer:Write arn:kelp:filer:::/eve/in.txt",
    ),
    clock,
    log: silentLog,
    version: "0.0.1",
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
  });
  return new FilerDoorWorld(world, door);
}

/** A form with a file in its second field. */
export function form(content: string, name: string): FormData {
  const data = new FormData();
  data.append("note", "ignored");
  data.append("file", new File([content], name));
  return data;
}

export function names(listing: Listing): string[] {
  return (listing.Entries ?? []).map(({ FullPath }) => FullPath);
}
