import { type Hashes, type SqlDatabase, migrate } from "@kelp/base";
import type { AccessKeyId, Statement } from "@kelp/wire";
import { MIGRATIONS } from "./migrations.ts";
import { type SummedIdentity, identitySum, keySum } from "./row-sums.ts";
import type { StoredSecrets } from "./stored-secrets.ts";

export interface StoredKey {
  readonly id: AccessKeyId;
  readonly secret: string;
  readonly isActive: boolean;
  readonly createdMs: number;
  /** The row does not match its checksum: the secret is empty, and nothing of the key is to be relied on. */
  readonly isDamaged?: true;
}

export interface StoredIdentity {
  readonly name: string;
  readonly isDisabled: boolean;
  readonly actions: readonly string[];
  readonly statements: readonly Statement[];
  readonly keys: readonly StoredKey[];
  readonly createdMs: number;
  /** The rows do not match their checksum: nothing but the name is to be relied on. Keys have sums of their own. */
  readonly isDamaged?: true;
}

/** An identity, or one of its access keys, that was damaged at rest. */
export interface IdentityDamage {
  readonly name: string;
  /** Absent: the identity itself. */
  readonly keyId?: string;
}

interface IdentityRow {
  readonly name: string;
  readonly is_disabled: number;
  readonly created_ms: number;
  readonly sum: number | null;
}

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly secret: string;
  readonly is_active: number;
  readonly created_ms: number;
  readonly sum: number | null;
}

interface StatementRow {
  readonly effect: string;
  readonly actions_json: string;
  readonly resources_json: string;
}

/** Rows of identities. Every change is durable when it returns. */
export class IdentityStore {
  readonly #database: SqlDatabase;
  readonly #secrets: StoredSecrets;
  readonly #hashes: Hashes;

  /** `writer`: whose the tables are. What another process keeps is read as it stands. */
  constructor(
    database: SqlDatabase,
    means: { readonly secrets: StoredSecrets; readonly hashes: Hashes },
    writer: "this-process" | "another-process",
  ) {
    if (writer === "this-process") migrate(database, "iam", MIGRATIONS);
    this.#database = database;
    this.#secrets = means.secrets;
    this.#hashes = means.hashes;
    if (writer === "another-process") return;
    this.#sumRowsWithout();
    this.#sealPlainSecrets();
  }

  /** Throws `IamError` `secret-damaged` when a secret of a sound row does not open. */
  load(): StoredIdentity[] {
    return this.#identityRows().map((row) => {
      const identity = this.#identityOf(row);
      const isSound = row.sum === identitySum(this.#hashes, identity);
      return isSound ? identity : { ...identity, ...NOTHING, isDamaged: true };
    });
  }

  /** Identities and keys whose rows do not match their checksums. Secrets are not opened. */
  damage(): IdentityDamage[] {
    const identities = this.#identityRows()
      .filter((row) => row.sum !== identitySum(this.#hashes, this.#rulesOf(row)))
      .map(({ name }) => ({ name }));
    const keys = this.#keyRows()
      .filter((row) => row.sum !== this.#sumOf(row))
      .map(({ id, name }) => ({ name, keyId: id }));
    return [...identities, ...keys];
  }

  /** Replaces all but the keys. */
  put(identity: StoredIdentity): void {
    const { name } = identity;
    this.#database.transaction(() => {
      this.#run(
        `INSERT INTO iam_identities (name, is_disabled, created_ms, sum) VALUES (?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET is_disabled = excluded.is_disabled, created_ms = excluded.created_ms, sum = excluded.sum`,
        [
          name,
          identity.isDisabled ? 1 : 0,
          identity.createdMs,
          identitySum(this.#hashes, identity),
        ],
      );
      this.#run("DELETE FROM iam_actions WHERE name = ?", [name]);
      this.#run("DELETE FROM iam_statements WHERE name = ?", [name]);
      for (const [position, action] of identity.actions.entries()) {
        this.#run("INSERT INTO iam_actions (name, position, action) VALUES (?, ?, ?)", [
          name,
          position,
          action,
        ]);
      }
      for (const [position, statement] of identity.statements.entries()) {
        this.#run(
          "INSERT INTO iam_statements (name, position, effect, actions_json, resources_json) VALUES (?, ?, ?, ?, ?)",
          [
            name,
            position,
            statement.effect,
            JSON.stringify(statement.actions),
            JSON.stringify(statement.resources),
          ],
        );
      }
    });
  }

  delete(name: string): void {
    this.#run("DELETE FROM iam_identities WHERE name = ?", [name]);
  }

  putKey(name: string, key: StoredKey): void {
    const { id, isActive, createdMs } = key;
    const storedSecret = this.#secrets.toStored(key.secret, id);
    const sum = keySum(this.#hashes, { id, name, storedSecret, isActive, createdMs });
    this.#run(
      `INSERT INTO iam_keys (id, name, secret, is_active, created_ms, sum) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, is_active = excluded.is_active, sum = excluded.sum`,
      [id, name, storedSecret, isActive ? 1 : 0, createdMs, sum],
    );
  }

  deleteKey(id: AccessKeyId): void {
    this.#run("DELETE FROM iam_keys WHERE id = ?", [id]);
  }

  /** Those from before there were sums. */
  #sumRowsWithout(): void {
    this.#database.transaction(() => {
      for (const row of this.#identityRows()) {
        if (row.sum !== null) continue;
        const sum = identitySum(this.#hashes, this.#rulesOf(row));
        this.#run("UPDATE iam_identities SET sum = ? WHERE name = ?", [sum, row.name]);
      }
      for (const row of this.#keyRows()) {
        if (row.sum !== null) continue;
        this.#run("UPDATE iam_keys SET sum = ? WHERE id = ?", [this.#sumOf(row), row.id]);
      }
    });
  }

  /** Those from before the store was sealed. */
  #sealPlainSecrets(): void {
    if (!this.#secrets.seals) return;
    this.#database.transaction(() => {
      for (const row of this.#keyRows()) {
        if (row.sum !== this.#sumOf(row) || this.#secrets.isSealed(row.secret)) continue;
        const secret = this.#secrets.toStored(row.secret, row.id);
        const sum = this.#sumOf({ ...row, secret });
        this.#run("UPDATE iam_keys SET secret = ?, sum = ? WHERE id = ?", [secret, sum, row.id]);
      }
    });
  }

  #run(sql: string, values: readonly (string | number)[]): void {
    this.#database.prepare(sql).run(...values);
  }

  #identityRows(): IdentityRow[] {
    return this.#database
      .prepare<IdentityRow>(
        "SELECT name, is_disabled, created_ms, sum FROM iam_identities ORDER BY name",
      )
      .all();
  }

  #identityOf(row: IdentityRow): StoredIdentity {
    return { ...this.#rulesOf(row), keys: this.#keysOf(row.name) };
  }

  #rulesOf(row: IdentityRow): SummedIdentity {
    return {
      name: row.name,
      isDisabled: row.is_disabled !== 0,
      createdMs: row.created_ms,
      actions: this.#actionsOf(row.name),
      statements: this.#statementsOf(row.name),
    };
  }

  #actionsOf(name: string): readonly string[] {
    return this.#database
      .prepare<{ action: string }>(
        "SELECT action FROM iam_actions WHERE name = ? ORDER BY position",
      )
      .all(name)
      .map((row) => row.action);
  }

  #statementsOf(name: string): readonly Statement[] {
    return this.#database
      .prepare<StatementRow>(
        "SELECT effect, actions_json, resources_json FROM iam_statements WHERE name = ? ORDER BY position",
      )
      .all(name)
      .map(parseStatement);
  }

  #keysOf(name: string): readonly StoredKey[] {
    return this.#database
      .prepare<KeyRow>(`SELECT ${KEY_COLUMNS} FROM iam_keys WHERE name = ? ORDER BY created_ms, id`)
      .all(name)
      .map((row) => this.#keyOf(row));
  }

  #keyRows(): KeyRow[] {
    return this.#database.prepare<KeyRow>(`SELECT ${KEY_COLUMNS} FROM iam_keys`).all();
  }

  #keyOf(row: KeyRow): StoredKey {
    const id = row.id as AccessKeyId;
    const createdMs = row.created_ms;
    if (row.sum !== this.#sumOf(row)) {
      return { id, secret: "", isActive: false, createdMs, isDamaged: true };
    }
    const secret = this.#secrets.fromStored(row.secret, row.id);
    return { id, secret, isActive: row.is_active !== 0, createdMs };
  }

  #sumOf(row: KeyRow): number {
    return keySum(this.#hashes, {
      id: row.id,
      name: row.name,
      storedSecret: row.secret,
      isActive: row.is_active !== 0,
      createdMs: row.created_ms,
    });
  }
}

/** What is taken for the rules of a damaged identity. */
const NOTHING = { isDisabled: true, actions: [], statements: [] } as const;

const KEY_COLUMNS = "id, name, secret, is_active, created_ms, sum";

/** Lists that cannot be read are none: the sum over them does not match then. */
function listIn(json: string): readonly string[] {
  try {
    return JSON.parse(json) as readonly string[];
  } catch {
    return [];
  }
}

/** The rows are this room's own; what they hold is checked again when permissions are compiled. */
function parseStatement(row: StatementRow): Statement {
  return {
    effect: row.effect as Statement["effect"],
    actions: listIn(row.actions_json),
    resources: listIn(row.resources_json),
  };
}
