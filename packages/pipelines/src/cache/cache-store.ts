import type { SqlDatabase, SqlStatement } from "@kelp/base";
import type { TaskValues } from "../run/run.ts";

/** Outputs that a step of some fingerprint gave before. */
export interface CacheEntry {
  readonly runId: string;
  readonly taskId: string;
  readonly outputs: TaskValues;
}

export interface CacheKey {
  readonly pipelineName: string;
  readonly namespace: string;
  readonly fingerprint: string;
}

/** Entries of the cache, per pipeline name and namespace. The newest of a key counts. */
export class CacheStore {
  readonly #insert: SqlStatement<never>;
  readonly #select: SqlStatement<{ run_id: string; task_id: string; outputs_json: string }>;

  constructor(database: SqlDatabase) {
    this.#insert = database.prepare(
      `INSERT INTO cache_entries (pipeline_name, namespace, fingerprint, run_id, task_id, outputs_json, created_ms)
       VALUES (?,?,?,?,?,?,?)`,
    );
    this.#select = database.prepare(
      `SELECT run_id, task_id, outputs_json FROM cache_entries
       WHERE fingerprint=? AND pipeline_name=? AND namespace=? ORDER BY sequence DESC LIMIT 1`,
    );
  }

  add(key: CacheKey, entry: CacheEntry, createdMs: number): void {
    this.#insert.run(
      key.pipelineName,
      key.namespace,
      key.fingerprint,
      entry.runId,
      entry.taskId,
      JSON.stringify(entry.outputs),
      createdMs,
    );
  }

  find(key: CacheKey): CacheEntry | undefined {
    const row = this.#select.get(key.fingerprint, key.pipelineName, key.namespace);
    if (row === undefined) return undefined;
    return {
      runId: row.run_id,
      taskId: row.task_id,
      outputs: JSON.parse(row.outputs_json) as TaskValues,
    };
  }
}
