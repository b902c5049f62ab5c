import { type SqlDatabase, type SqlStatement, assert, migrate, must } from "@kelp/base";
import type { RunState } from "@kelp/wire/management";
import { LineageError } from "./errors.ts";
import { MIGRATIONS } from "./migrations.ts";
import {
  type Artifact,
  type ArtifactLineage,
  type ArtifactPage,
  type ArtifactUse,
  CONSUMERS_MAX,
  type Execution,
  type ListArtifacts,
  type NewArtifact,
  type NewUse,
  PAGE_SIZE_MAX,
} from "./model.ts";

/**
 * Which task made which artifact and who used it. Writing methods are single statements without a transaction of
 * their own: callers wrap them together with what else must happen at once.
 */
export interface Lineage {
  /** @returns the new artifact's id, increasing in order of recording. */
  recordArtifact(artifact: NewArtifact): number;
  /** Newest artifact with exactly this URI, type and metadata. */
  findArtifact(wanted: Pick<Artifact, "uri" | "type" | "metadata">): Artifact | undefined;
  /** Records a task, or its new state. */
  recordExecution(execution: Execution): void;
  /** The execution must have been recorded. Recording the same use twice is harmless. */
  recordUse(use: NewUse): void;
  getArtifact(artifactId: number): Artifact | undefined;
  getLineage(artifactId: number): ArtifactLineage | undefined;
  /** @throws LineageError `invalid-page` for a page size outside 1 … `PAGE_SIZE_MAX`. */
  listArtifacts(query: ListArtifacts): ArtifactPage;
  /** Forgets a run's executions and uses. Artifacts stay, since other runs may use them. */
  forgetRun(runId: string): void;
}

/** Brings the tables up to date. The database stays the caller's. */
export function openLineage(database: SqlDatabase): Lineage {
  migrate(database, "lineage", MIGRATIONS);
  return new SqlLineage(database);
}

const SELECT_USES = `SELECT u.direction, u.name, u.at_ms, e.task_id, e.run_id, e.run_name, e.task_name, e.state
  FROM artifact_uses u JOIN executions e ON e.task_id = u.task_id`;

class SqlLineage implements Lineage {
  readonly #database: SqlDatabase;
  readonly #insertArtifact: SqlStatement<{ artifact_id: number }>;
  readonly #findArtifact: SqlStatement<ArtifactRow>;
  readonly #saveExecution: SqlStatement<never>;
  readonly #saveUse: SqlStatement<never>;
  readonly #selectArtifact: SqlStatement<ArtifactRow>;
  readonly #selectProducer: SqlStatement<UseRow>;
  readonly #selectConsumers: SqlStatement<UseRow>;
  readonly #deleteUses: SqlStatement<never>;
  readonly #deleteExecutions: SqlStatement<never>;

  constructor(database: SqlDatabase) {
    this.#database = database;
    this.#insertArtifact = database.prepare(
      `INSERT INTO artifacts (name, type, uri, metadata_json, created_ms, run_id) VALUES (?,?,?,?,?,?)
       RETURNING artifact_id`,
    );
    this.#findArtifact = database.prepare(
      `SELECT * FROM artifacts WHERE uri=? AND type=? AND metadata_json=?
       ORDER BY artifact_id DESC LIMIT 1`,
    );
    this.#saveExecution = database.prepare(
      `INSERT INTO executions (task_id, run_id, run_name, task_name, state) VALUES (?,?,?,?,?)
       ON CONFLICT (task_id) DO UPDATE SET state=excluded.state`,
    );
    this.#saveUse = database.prepare(
      `INSERT INTO artifact_uses (artifact_id, task_id, direction, name, at_ms) VALUES (?,?,?,?,?)
       ON CONFLICT DO NOTHING`,
    );
    this.#selectArtifact = database.prepare("SELECT * FROM artifacts WHERE artifact_id=?");
    this.#selectProducer = database.prepare(
      `${SELECT_USES} WHERE u.artifact_id=? AND u.direction='produced' ORDER BY u.at_ms LIMIT 1`,
    );
    this.#selectConsumers = database.prepare(
      `${SELECT_USES} WHERE u.artifact_id=? AND u.direction='consumed' ORDER BY u.at_ms
       LIMIT ${CONSUMERS_MAX}`,
    );
    this.#deleteUses = database.prepare(
      "DELETE FROM artifact_uses WHERE task_id IN (SELECT task_id FROM executions WHERE run_id=?)",
    );
    this.#deleteExecutions = database.prepare("DELETE FROM executions WHERE run_id=?");
  }

  recordArtifact(artifact: NewArtifact): number {
    assert(artifact.type !== "", "an artifact has a type");
    const row = this.#insertArtifact.get(
      artifact.name,
      artifact.type,
      artifact.uri,
      metadataJson(artifact.metadata),
      artifact.createdMs,
      artifact.runId,
    );
    return must(row).artifact_id;
  }

  findArtifact(wanted: Pick<Artifact, "uri" | "type" | "metadata">): Artifact | undefined {
    const row = this.#findArtifact.get(wanted.uri, wanted.type, metadataJson(wanted.metadata));
    return row === undefined ? undefined : artifactOf(row);
  }

  recordExecution(execution: Execution): void {
    this.#saveExecution.run(
      execution.taskId,
      execution.runId,
      execution.runName,
      execution.taskName,
      execution.state,
    );
  }

  recordUse(use: NewUse): void {
    this.#saveUse.run(use.artifactId, use.taskId, use.direction, use.name, use.atMs);
  }

  getArtifact(artifactId: number): Artifact | undefined {
    const row = this.#selectArtifact.get(artifactId);
    return row === undefined ? undefined : artifactOf(row);
  }

  getLineage(artifactId: number): ArtifactLineage | undefined {
    const artifact = this.getArtifact(artifactId);
    if (artifact === undefined) return undefined;
    const producer = this.#selectProducer.get(artifactId);
    return {
      artifact,
      producer: producer === undefined ? undefined : useOf(producer),
      consumers: this.#selectConsumers.all(artifactId).map(useOf),
    };
  }

  listArtifacts(query: ListArtifacts): ArtifactPage {
    const { pageSize } = query;
    if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > PAGE_SIZE_MAX) {
      throw new LineageError(
        "invalid-page",
        `Cannot list artifacts: page size is ${pageSize}, expected 1 to ${PAGE_SIZE_MAX}`,
      );
    }
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    if (query.runId !== undefined) {
      conditions.push(
        `artifact_id IN (SELECT u.artifact_id FROM executions e
           JOIN artifact_uses u ON u.task_id = e.task_id WHERE e.run_id = ?)`,
      );
      values.push(query.runId);
    }
    if (query.type !== undefined) {
      conditions.push("type = ?");
      values.push(query.type);
    }
    const total = this.#database
      .prepare<{ count: number }>(`SELECT count(*) AS count FROM artifacts ${where(conditions)}`)
      .get(...values);
    if (query.after !== undefined) {
      conditions.push("artifact_id < ?");
      values.push(query.after);
    }
    // One row more than asked for tells whether there is a next page.
    const rows = this.#database
      .prepare<ArtifactRow>(
        `SELECT * FROM artifacts ${where(conditions)} ORDER BY artifact_id DESC LIMIT ?`,
      )
      .all(...values, pageSize + 1);
    const artifacts = rows.slice(0, pageSize).map(artifactOf);
    return {
      artifacts,
      totalSize: must(total).count,
      next: rows.length > pageSize ? artifacts.at(-1)?.artifactId : undefined,
    };
  }

  forgetRun(runId: string): void {
    this.#database.transaction(() => {
      this.#deleteUses.run(runId);
      this.#deleteExecutions.run(runId);
    });
  }
}

interface ArtifactRow {
  artifact_id: number;
  name: string;
  type: string;
  uri: string;
  metadata_json: string;
  created_ms: number;
  run_id: string;
}

interface UseRow {
  direction: "produced" | "consumed";
  name: string;
  at_ms: number;
  task_id: string;
  run_id: string;
  run_name: string;
  task_name: string;
  state: RunState;
}

function artifactOf(row: ArtifactRow): Artifact {
  return {
    artifactId: row.artifact_id,
    name: row.name,
    type: row.type,
    uri: row.uri,
    metadata: JSON.parse(row.metadata_json) as Artifact["metadata"],
    createdMs: row.created_ms,
    runId: row.run_id,
  };
}

function useOf(row: UseRow): ArtifactUse {
  return {
    direction: row.direction,
    name: row.name,
    atMs: row.at_ms,
    taskId: row.task_id,
    runId: row.run_id,
    runName: row.run_name,
    taskName: row.task_name,
    state: row.state,
  };
}

/** Names sorted, so that equal metadata is equal text. */
function metadataJson(metadata: Artifact["metadata"]): string {
  const names = Object.keys(metadata).sort();
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, metadata[name]])));
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
}
