import { readFileSync } from "node:fs";
import { type CallHandlers, type CallPeer, type Disk, silentLog } from "@kelp/base";
import { systemCallNetwork, systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { GatewayVolumes } from "../lending/gateway-volumes.ts";
import type { Borrower } from "../lending/lending.ts";
import { serveVolumes } from "../lending/serve-gateway.ts";
import { type VolumeStore, openVolumeStore } from "../store/volume-store.ts";

const DEPS = { disk: systemDisk, clock: systemClock, hashes: systemHashes, log: silentLog };

export interface LendingGateway {
  readonly volumes: GatewayVolumes;
  readonly peer: CallPeer;
  readonly borrower: Borrower;
  /** Ends the gateway as a crash does: what it has open is gone, nothing was given back. */
  crash(): Promise<void>;
}

/** A store, and gateways that are connected to it as processes are. */
export class LendingWorld implements AsyncDisposable {
  readonly #opened = new AsyncDisposableStack();
  readonly #folder = this.#opened.use(temporaryFolder());
  readonly #ended = new Map<CallPeer, PromiseWithResolvers<void>>();
  #last: Borrower | undefined;
  store!: VolumeStore;
  #address = "";

  static async open(
    volumeCount = 1,
    options: { readonly volumeSizeBytesMax?: number } = {},
  ): Promise<LendingWorld> {
    const world = new LendingWorld();
    world.store = world.#opened.use(
      await openVolumeStore({ ...DEPS, ...options, folder: `${world.#folder.path}/volumes` }),
    );
    for (let id = 1; id <= volumeCount; id++) {
      await world.store.createVolume(volumeId(id), { collection: "" });
    }
    const listener = await systemCallNetwork.listen(`${world.#folder.path}/calls`, (peer) =>
      world.#serve(peer),
    );
    world.#address = world.#opened.use(listener).address;
    return world;
  }

  /** The file of a volume. */
  data(id = 1): Buffer {
    return readFileSync(`${this.#folder.path}/volumes/${id}.dat`);
  }

  /** `disk`: as the gateway sees it. */
  async gateway(disk: Disk = systemDisk): Promise<LendingGateway> {
    const handlers: Record<string, CallHandlers[string]> = {};
    const peer = await systemCallNetwork.connect(this.#address, handlers);
    const volumes = new GatewayVolumes({ ...DEPS, disk }, peer);
    Object.assign(handlers, volumes.handlers);
    await peer.call("hello", undefined);
    const borrower = this.#last;
    if (borrower === undefined) throw new Error("the store has met the gateway");
    const crash = async (): Promise<void> => {
      await peer[Symbol.asyncDispose]();
      await volumes.close();
      this.#ended.get(borrower.peer)?.resolve();
    };
    this.#opened.defer(crash);
    return { volumes, peer, borrower, crash };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  #serve(peer: CallPeer): CallHandlers {
    const ended = Promise.withResolvers<void>();
    this.#ended.set(peer, ended);
    const borrower = { name: "gateway 7", peer, ended: ended.promise };
    const writable = async (): Promise<Fid> => {
      const found = (await this.store.volumes()).find(
        ({ state, holder }) => state === "writable" && holder === undefined,
      );
      return { volumeId: found?.id ?? volumeId(99), needleId: needleId(1n), cookie: 7 };
    };
    const handlers = serveVolumes({ volumes: this.store, master: { assign: writable }, borrower });
    return {
      ...handlers,
      hello: () => {
        this.#last = borrower;
      },
    };
  }
}
