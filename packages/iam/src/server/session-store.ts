import {
  type Clock,
  type Hashes,
  type Migration,
  type Random,
  type SqlDatabase,
  migrate,
} from "@kelp/base";
import type { AccessKeyId, KeyDirectory, KeyRecord, Principal } from "@kelp/wire";

/** A session ends this long after its last use. */
const IDLE_MS_MAX = 12 * 60 * 60 * 1000;
/** And this long after sign-in, used or not. */
export const SESSION_LIFE_SEC_MAX = 7 * 24 * 60 * 60;
/** Use is written down at most this often, so that reading a page does not write to the disk. */
const TOUCH_EVERY_MS = 5 * 60 * 1000;
/** The oldest makes room for one more. */
const SESSIONS_MAX = 10_000;

const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE gate_sessions (
        id_hash BLOB PRIMARY KEY,
        key_id TEXT NOT NULL,
        proof BLOB NOT NULL,
        created_ms INTEGER NOT NULL,
        used_ms INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX gate_sessions_by_use ON gate_sessions (used_ms);
    `,
  },
];

interface SessionRow {
  readonly key_id: string;
  readonly proof: Uint8Array;
  readonly created_ms: number;
  readonly used_ms: number;
}

export interface SessionOptions {
  readonly database: SqlDatabase;
  readonly keys: KeyDirectory;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
}

/**
 * Sessions of people, in the database so that a restart keeps them. Whoever reads the database cannot use them: only
 * a hash of the id is there. Each is bound to the secret of the key that opened it (`proof` is its HMAC under the
 * session id), so it ends when the key is deleted, disabled or given another secret.
 */
export class SessionStore {
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    migrate(options.database, "people-gate", MIGRATIONS);
    this.#options = options;
  }

  /** The id of a new session: 256 random bits, URL-safe. */
  open(key: KeyRecord): string {
    const { database, clock, random } = this.#options;
    const id = Buffer.from(random.bytes(32)).toString("base64url");
    const nowMs = clock.nowMs();
    database.transaction(() => {
      database.prepare("DELETE FROM gate_sessions WHERE used_ms < ?").run(nowMs - IDLE_MS_MAX);
      database
        .prepare(
          "DELETE FROM gate_sessions WHERE id_hash IN (SELECT id_hash FROM gate_sessions ORDER BY used_ms DESC LIMIT -1 OFFSET ?)",
        )
        .run(SESSIONS_MAX - 1);
      database
        .prepare(
          "INSERT INTO gate_sessions (id_hash, key_id, proof, created_ms, used_ms) VALUES (?, ?, ?, ?, ?)",
        )
        .run(this.#hashOf(id), key.id, this.#proofOf(id, key.secret), nowMs, nowMs);
    });
    return id;
  }

  /** Whose session it is, and that it was used now; `undefined` when it is unknown or over. */
  use(id: string): Principal | undefined {
    const { database, clock, keys, hashes } = this.#options;
    const row = database
      .prepare<SessionRow>(
        "SELECT key_id, proof, created_ms, used_ms FROM gate_sessions WHERE id_hash = ?",
      )
      .get(this.#hashOf(id));
    if (row === undefined) return undefined;
    const nowMs = clock.nowMs();
    const isOver =
      nowMs - row.used_ms > IDLE_MS_MAX || nowMs - row.created_ms > SESSION_LIFE_SEC_MAX * 1000;
    const key = isOver ? undefined : keys.findKey(row.key_id as AccessKeyId);
    if (key === undefined) return undefined;
    if (!hashes.equalInConstantTime(row.proof, this.#proofOf(id, key.secret))) return undefined;
    if (nowMs - row.used_ms > TOUCH_EVERY_MS) {
      database
        .prepare("UPDATE gate_sessions SET used_ms = ? WHERE id_hash = ?")
        .run(nowMs, this.#hashOf(id));
    }
    return key.principal;
  }

  close(id: string): void {
    this.#options.database
      .prepare("DELETE FROM gate_sessions WHERE id_hash = ?")
      .run(this.#hashOf(id));
  }

  #hashOf(id: string): Uint8Array {
    return this.#options.hashes.digest("sha256", Buffer.from(id, "latin1"));
  }

  #proofOf(id: string, secret: string): Uint8Array {
    return this.#options.hashes.hmacSha256(Buffer.from(id, "latin1"), secret);
  }
}
