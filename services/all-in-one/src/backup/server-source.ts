import { systemHashes } from "@kelp/base/platform";
import { BackupError, type ChunkRead } from "@kelp/filer";
import { type Fid, formatFid } from "@kelp/wire";
import { type OpenBackupSource, folderFiles } from "./folder-source.ts";
import { BACKUP_PATH, CHECKSUM_HEADER, errorSchema, holdSchema, volumeOf } from "./messages.ts";

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
    [Symbol.asyncDispose]: async () => {
      clearInterval(renewing);
      // The server may have ended meanwhile; then it holds nothing.
      await client.ask("DELETE", path).catch(() => undefined);
    },
  };
}

async function readChunk(client: DoorClient, path: string, fid: Fid): Promise<ChunkRead> {
  const name = formatFid(fid);
  const answer = await client.ask("GET", `${path}/chunks/${name}`);
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

  async ask(method: string, path: string): Promise<Response> {
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
    if (answer.ok || answer.status === 422) return answer;
    const parsed = errorSchema.safeParse(await answer.json().catch(() => undefined));
    const reason = parsed.success ? parsed.data.error.message : `status ${answer.status}`;
    throw new BackupError("source-failed", `the server refused: ${reason}`);
  }
}
