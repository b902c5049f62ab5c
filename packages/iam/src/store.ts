import { type Migration, type SqlDatabase, migrate } from "@kelp/base";
import type { AccessKeyId, Statement } from "@kelp/wire";
import type { StoredSecrets } from "./stored-secrets.ts";

/**
 * Identities at rest. Secrets of access keys stand as they are: the server computes the same HMAC as the client, so
 * a hash would not do. They are sealed when the store is; otherwise what keeps them is the mode of the database file and its
 * folder, which only the service's own user may read.
 */
const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE iam_identities (
        name TEXT PRIMARY KEY,
        is_disabled INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE iam_actions (
        name TEXT NOT NULL REFERENCES iam_identities (name) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        action TEXT NOT NULL,
        PRIMARY KEY (name, position)
      ) WITHOUT ROWID;
      CREATE TABLE iam_statements (
        name TEXT NOT NULL REFERENCES iam_identities (name) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        effect TEXT NOT NULL,
        actions_json TEXT NOT NULL,
        resources_json TEXT NOT NULL,
        PRIMARY KEY (name, position)
      ) WITHOUT ROWID;
      CREATE TABLE iam_keys (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL REFERENCES iam_identities (name) ON DELETE CASCADE,
        secret TEXT NOT NULL,
        is_active INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX iam_keys_by_name ON iam_keys (name);
    `,
  },
];

export interface StoredKey {
  readonly id: AccessKeyId;
  readonly secret: string;
  readonly isActive: boolean;
  readonly createdMs: number;
}

export interface StoredIdentity {
  readonly name: string;
  readonly isDisabled: boolean;
  readonly actions: readonly string[];
  readonly statements: readonly Statement[];
  readonly keys: readonly StoredKey[];
  readonly createdMs: number;
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

  /** `writer`: whose the tables are. What another process keeps is read as it stands. */
  constructor(
    database: SqlDatabase,
    secrets: StoredSecrets,
    writer: "this-process" | "another-process",
  ) {
    if (writer === "this-process") migrate(database, "iam", MIGRATIONS);
    this.#database = database;
    this.#secrets = secrets;
    if (writer === "this-process") this.#sealPlainSecrets();
  }

  load(): StoredIdentity[] {
    const identities = this.#database
      .prepare<{
        name: string;
        is_disabled: number;
        created_ms: number;
      }>("SELECT name, is_disabled, created_ms FROM iam_identities ORDER BY name")
      .all();
    return identities.map((row) => ({
      name: row.name,
      isDisabled: row.is_disabled !== 0,
      actions: this.#actionsOf(row.name),
      statements: this.#statementsOf(row.name),
      keys: this.#keysOf(row.name),
      createdMs: row.created_ms,
    }));
  }

  /** Replaces all but the keys. */
  put(identity: StoredIdentity): void {
    const { name } = identity;
    this.#database.transaction(() => {
      this.#run(
        "INSERT INTO iam_identities (name, is_disabled, created_ms) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET is_disabled = excluded.is_disabled",
        [name, identity.isDisabled ? 1 : 0, identity.createdMs],
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
    this.#run(
      "INSERT INTO iam_keys (id, name, secret, is_active, created_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET is_active = excluded.is_active",
      [
        key.id,
        name,
        this.#secrets.toStored(key.secret, key.id),
        key.isActive ? 1 : 0,
        key.createdMs,
      ],
    );
  }

  deleteKey(id: AccessKeyId): void {
    this.#run("DELETE FROM iam_keys WHERE id = ?", [id]);
  }

  /** Those from before the store was sealed. */
  #sealPlainSecrets(): void {
    if (!this.#secrets.seals) return;
    const rows = this.#database
      .prepare<{ id: string; secret: string }>("SELECT id, secret FROM iam_keys")
      .all();
    this.#database.transaction(() => {
      for (const { id, secret } of rows) {
        if (this.#secrets.isSealed(secret)) continue;
        const sealed = this.#secrets.toStored(secret, id);
        this.#run("UPDATE iam_keys SET secret = ? WHERE id = ?", [sealed, id]);
      }
    });
  }

  #run(sql: string, values: readonly (string | number)[]): void {
    this.#database.prepare(sql).run(...values);
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
      .prepare<{
        id: string;
        secret: string;
        is_active: number;
        created_ms: number;
      }>(
        "SELECT id, secret, is_active, created_ms FROM iam_keys WHERE name = ? ORDER BY created_ms, id",
      )
      .all(name)
      .map((row) => ({
        id: row.id as AccessKeyId,
        secret: this.#secrets.fromStored(row.secret, row.id),
        isActive: row.is_active !== 0,
        createdMs: row.created_ms,
      }));
  }
}

/** The rows are this room's own; what they hold is checked again when permissions are compiled. */
function parseStatement(row: StatementRow): Statement {
  return {
    effect: row.effect as Statement["effect"],
    actions: JSON.parse(row.actions_json) as readonly string[],
    resources: JSON.parse(row.resources_json) as readonly string[],
  };
}
