import { systemHashes } from "@kelp/base/platform";
import { BackupError, type ChunkRead, type DamagedVolume, type NeedleRead } from "@kelp/filer";
import { type Fid, type ScannedNeedle, type VolumeId, formatFid } from "@kelp/wire";
import { type OpenBackupSource, folderFiles } from "./folder-source.ts";
import {
  BACKUP_PATH,
  CHECKSUM_HEADER,
  errorSchema,
  holdSchema,
  parseNeedleLine,
  volumeOf,
} from "./messages.ts";

/** Well below the time after which the server takes a silent backup for dead. */
const RENEW_MS = 60_000;

/** How a backup reaches the server that runs on the folder. */
export interface RunningServerAddress {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly token: string | undefined;
}

/**
 * A folder that a server uses: the databases are read beside it, chunks come through it, and it holds them until this is
 * disposed. Throws `BackupError` `source-failed`.
 */
export async function openServerSource(
  dir: string,
  address: RunningServerAddress,
): Promise<OpenBackupSource> {
  const client = new DoorClient(address);
  const answer = await client.ask("POST", "holds");
  const hold = holdSchema.parse(await answer.json());
  const path = `holds/${hold.hold}`;
  const renewing = setInterval(() => {
    // A failure shows in the next read of a chunk.
    client.ask("POST", path).catch(() => undefined);
  }, RENEW_MS);
  return {
    ...folderFiles(dir),
    storeId: hold.store_id,
    volumes: hold.volumes.map(volumeOf),
    readChunk: (fid) => readChunk(client, path, fid),
    scanVolume: (id) => scanVolume(client, path, id),
    readNeedle: (fid) => readNeedle(client, path, fid),
    [Symbol.asyncDispose]: async () => {
      clearInterval(renewing);
      // The server may have ended meanwhile; then it holds nothing.
      await client.ask("DELETE", path).catch(() => undefined);
    },
  };
}

async function readChunk(client: DoorClient, path: string, fid: Fid): Promise<ChunkRead> {
  const name = formatFid(fid);
  return readPiece(await client.ask("GET", `${path}/chunks/${name}`), name);
}

async function readNeedle(client: DoorClient, path: string, fid: Fid): Promise<NeedleRead> {
  const name = formatFid(fid);
  const answer = await client.ask("GET", `${path}/needles/${name}`, [404]);
  return answer.status === 404 ? { kind: "absent" } : readPiece(answer, name);
}

/** Throws `BackupError` `source-failed` when the telling ends before its last line. */
async function* scanVolume(
  client: DoorClient,
  path: string,
  id: VolumeId,
): AsyncGenerator<ScannedNeedle | DamagedVolume> {
  const answer = await client.ask("GET", `${path}/volumes/${id}`);
  try {
    for await (const line of linesOf(answer)) {
      const found = parseNeedleLine(line);
      if (found.kind === "end") return;
      yield found;
    }
  } catch (error) {
    throw new BackupError("source-failed", `the needles of volume ${id} were not told to the end`, {
      cause: error,
    });
  }
  throw new BackupError("source-failed", `the needles of volume ${id} were not told to the end`);
}

async function* linesOf(answer: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of answer.body ?? []) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

async function readPiece(answer: Response, name: string): Promise<ChunkRead> {
  if (answer.status === 422) {
    const { error } = errorSchema.parse(await answer.json());
    return { kind: "damaged", reason: error.message };
  }
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const checksum = systemHashes.crc32c(bytes).toString(16).padStart(8, "0");
  if (answer.headers.get(CHECKSUM_HEADER) !== checksum) {
    throw new BackupError("source-failed", `chunk ${name} arrived damaged`);
  }
  return { kind: "read", bytes };
}

class DoorClient {
  readonly #address: RunningServerAddress;

  constructor(address: RunningServerAddress) {
    this.#address = address;
  }

  /** Statuses that are no refusal: 2xx, 422, and those of `also`. */
  async ask(method: string, path: string, also: readonly number[] = []): Promise<Response> {
    const { baseUrl, token } = this.#address;
    let answer: Response;
    try {
      answer = await fetch(`${baseUrl}${BACKUP_PATH}${path}`, {
        method,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
    } catch (error) {
      throw new BackupError("source-failed", "the server does not answer any more", {
        cause: error,
      });
    }
    if (answer.ok || answer.status === 422 || also.includes(answer.status)) return answer;
    const parsed = errorSchema.safeParse(await answer.json().catch(() => undefined));
    const reason = parsed.success ? parsed.data.error.message : `status ${answer.status}`;
    throw new BackupError("source-failed", `the server refused: ${reason}`);
  }
}
