import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { SqlDatabase } from "@kelp/base";
import {
  copyDatabase,
  openDatabase,
  systemDisk,
  systemHashes,
  systemRandom,
} from "@kelp/base/platform";
import {
  type CreateVolume,
  type Fid,
  type NeedleContent,
  NO_TTL,
  type ScannedNeedle,
  type VolumeId,
  formatFid,
  isFilerCollection,
  parseFid,
} from "@kelp/wire";
import type {
  BackupSource,
  BackupVolume,
  ChunkRead,
  DamagedVolume,
} from "../backup/backup-source.ts";
import { type LooseNeedle, encodeLooseNeedle } from "../backup/loose-needle.ts";
import type { BackupTarget } from "../backup/backup-target.ts";
import { chosenBackup } from "../backup/chosen-backup.ts";
import type { BackupRequest } from "../backup/backup-request.ts";
import { type BackupReport, makeBackup } from "../backup/make-backup.ts";
import { restoreBackup } from "../backup/restore-backup.ts";
import { verifyBackup } from "../backup/verify-backup.ts";
import type { FilerOptions } from "../filer.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryVolumeError, MemoryVolumes } from "./memory-volumes.ts";
import { type FilerWorld, TREE, openFilerWorld } from "./world.ts";

/** A filer on a database file, and what it takes to back it up into a folder. */
export class BackupWorld implements Disposable {
  readonly folder: string;
  readonly database: SqlDatabase;
  readonly world: FilerWorld;
  readonly clock = new ManualClock();
  /** Volumes besides the filer's, and what clients stored in them, by `formatFid`. */
  readonly otherVolumes: BackupVolume[] = [];
  readonly loose = new Map<string, LooseNeedle | "corrupt">();
  readonly unreadable = new Set<VolumeId>();
  /** Called before each read of a chunk or needle. */
  beforeRead: (readCount: number) => void | Promise<void> = () => undefined;
  #reads = 0;
  #works = 0;

  readonly #options: Partial<FilerOptions>;

  /** `options` replace parts of the filer that is backed up, and of those that are restored. */
  constructor(folder: string, options: Partial<FilerOptions> = {}) {
    this.folder = folder;
    this.#options = options;
    this.database = openDatabase(join(folder, "filer.db"));
    this.world = openFilerWorld({ ...options, database: this.database });
  }

  async start(): Promise<void> {
    await this.world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
  }

  backUp(
    target: BackupTarget,
    options: Pick<BackupRequest, "beforeManifest" | "signal"> = {},
  ): Promise<BackupReport> {
    this.clock.advance(1);
    return makeBackup(
      {
        disk: systemDisk,
        clock: this.clock,
        random: systemRandom,
        hashes: systemHashes,
        openDatabase,
        copyDatabase,
      },
      {
        source: this.#source(),
        target,
        workFolder: this.#workFolder(),
        filerDatabase: "filer.db",
        kelpVersion: "0.0.0",
        ...options,
      },
    );
  }

  async verify(target: BackupTarget, id?: string): Promise<void> {
    const manifest = await chosenBackup(target, id, systemHashes);
    const workFolder = this.#workFolder();
    await verifyBackup(
      { disk: systemDisk, hashes: systemHashes, openDatabase },
      { manifest, target, workFolder, filerDatabase: "filer.db" },
    );
  }

  /** The store that a backup makes, in a folder of its own. */
  async restore(target: BackupTarget, id?: string): Promise<RestoredWorld> {
    const manifest = await chosenBackup(target, id, systemHashes);
    const folder = this.#workFolder();
    const volumes = new RestoredVolumes();
    await restoreBackup(
      { disk: systemDisk, random: systemRandom, hashes: systemHashes, openDatabase },
      {
        manifest,
        target,
        folder,
        workFolder: this.#workFolder(),
        filerDatabase: "filer.db",
        volumes,
      },
    );
    const database = openDatabase(join(folder, "filer.db"));
    return {
      ...openFilerWorld({ ...this.#options, database, volumes, master: volumes }),
      volumes,
      made: volumes,
    };
  }

  [Symbol.dispose](): void {
    this.world[Symbol.dispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #source(): BackupSource {
    return {
      storeId: this.world.filer.storeId(),
      volumes: this.otherVolumes,
      databases: [{ name: "filer.db", path: join(this.folder, "filer.db") }],
      files: [],
      readChunk: (fid) => this.#readChunk(fid),
      scanVolume: (id) => this.#scan(id),
      readNeedle: async (fid) => {
        this.#reads += 1;
        await this.beforeRead(this.#reads);
        const needle = this.loose.get(formatFid(fid));
        if (needle === undefined) return { kind: "absent" };
        if (needle === "corrupt") return { kind: "damaged", reason: "needle-corrupt" };
        return { kind: "read", bytes: encodeLooseNeedle(needle) };
      },
    };
  }

  async *#scan(id: VolumeId): AsyncGenerator<ScannedNeedle | DamagedVolume> {
    for (const [name, needle] of this.loose) {
      const fid = parseFid(name);
      if (fid?.volumeId !== id) continue;
      const { needleId, cookie } = fid;
      if (needle === "corrupt") {
        const place = { offsetBytes: 8, recordBytes: 40, reason: "checksum" };
        yield { kind: "corrupt", needleId, cookie, ...place };
        continue;
      }
      const { data, appendedNs } = needle;
      yield { kind: "live", needleId, cookie, sizeBytes: data.length, appendedNs };
    }
    if (this.unreadable.has(id)) yield { kind: "damaged-volume", reason: "volume-failed" };
  }

  async #readChunk(fid: Fid): Promise<ChunkRead> {
    this.#reads += 1;
    await this.beforeRead(this.#reads);
    const bytes = await this.world.volumes.read(fid);
    return bytes === undefined
      ? { kind: "damaged", reason: "no volume holds it" }
      : { kind: "read", bytes };
  }

  #workFolder(): string {
    this.#works += 1;
    const path = join(this.folder, `work-${this.#works}`);
    mkdirSync(path);
    return path;
  }
}

/** A restored store, and what was asked of its volumes. */
export interface RestoredWorld extends FilerWorld {
  readonly made: Pick<RestoredVolumes, "created" | "written">;
}

/** A volume that clients write to, as a source tells of it. */
export function otherVolume(id: VolumeId, collection = ""): BackupVolume {
  return { id, collection, replicaPlacement: 0, ttl: NO_TTL, diskType: "" };
}

/** Makes whatever volume is asked for: it keeps all chunks in one, and needles as they come. */
class RestoredVolumes extends MemoryVolumes {
  readonly created = new Map<VolumeId, CreateVolume>();
  readonly written = new Map<string, NeedleContent>();

  override async createVolume(id: VolumeId, request: CreateVolume): Promise<void> {
    this.created.set(id, request);
    if (isFilerCollection(request.collection)) this.collection = request.collection;
  }

  async writeNeedle(fid: Fid, needle: NeedleContent): Promise<"written"> {
    if (!this.created.has(fid.volumeId)) throw new MemoryVolumeError("no-such-volume");
    this.written.set(formatFid(fid), { ...needle, data: new Uint8Array(needle.data) });
    return "written";
  }
}
