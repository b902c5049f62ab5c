import {
  type Clock,
  type Random,
  type Result,
  type SqlDatabase,
  assert,
  must,
  ok,
  refused,
} from "@kelp/base";

/** A row of table `experiments`. `last_run_created_ms` is 0 until there is a run. */
export interface ExperimentRow {
  readonly sequence: number;
  readonly experiment_id: string;
  readonly display_name: string;
  readonly description: string;
  readonly namespace: string;
  readonly storage_state: "AVAILABLE" | "ARCHIVED";
  readonly is_default: number;
  readonly created_ms: number;
  readonly last_run_created_ms: number;
}

export interface NewExperiment {
  readonly displayName: string;
  readonly description: string;
  readonly namespace: string;
}

/** The experiment of runs that name none. */
export const DEFAULT_EXPERIMENT_NAME = "Default";

export type Experiments = ReturnType<typeof openExperiments>;

/** Queries of table `experiments`. The table exists (`migrateCatalog`). */
export function openExperiments(
  database: SqlDatabase,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
) {
  const byId = database.prepare<ExperimentRow>("SELECT * FROM experiments WHERE experiment_id = ?");
  const byName = database.prepare<ExperimentRow>(
    "SELECT * FROM experiments WHERE namespace = ? AND display_name = ?",
  );
  const theDefault = database.prepare<ExperimentRow>(
    "SELECT * FROM experiments WHERE is_default = 1",
  );
  const insert = database.prepare<ExperimentRow>(
    `INSERT INTO experiments (experiment_id, display_name, description, namespace, storage_state, is_default,
       created_ms, last_run_created_ms)
     VALUES (?, ?, ?, ?, 'AVAILABLE', ?, ?, 0) ON CONFLICT (namespace, display_name) DO NOTHING RETURNING *`,
  );
  const makeDefault = database.prepare<ExperimentRow>(
    "UPDATE experiments SET is_default = 1 WHERE experiment_id = ? RETURNING *",
  );
  const setState = database.prepare<never>(
    "UPDATE experiments SET storage_state = ? WHERE experiment_id = ?",
  );
  const touch = database.prepare<never>(
    "UPDATE experiments SET last_run_created_ms = MAX(last_run_created_ms, ?) WHERE experiment_id = ?",
  );
  const remove = database.prepare<never>("DELETE FROM experiments WHERE experiment_id = ?");

  function create(experiment: NewExperiment): Result<ExperimentRow, "exists"> {
    const row = insert.get(
      random.uuid(),
      experiment.displayName,
      experiment.description,
      experiment.namespace,
      0,
      clock.nowMs(),
    );
    return row === undefined ? refused("exists") : ok(row);
  }

  return {
    get: (id: string): ExperimentRow | undefined => byId.get(id),
    create,

    /** Made when there is none yet; a user's own experiment of that name is taken. */
    getDefault(): ExperimentRow {
      const known = theDefault.get();
      if (known !== undefined) return known;
      return database.transaction(() => {
        const named = { displayName: DEFAULT_EXPERIMENT_NAME, description: "", namespace: "" };
        const created = create(named);
        const row = created.kind === "ok" ? created.value : byName.get("", DEFAULT_EXPERIMENT_NAME);
        return must(makeDefault.get(must(row).experiment_id));
      });
    },

    setStorageState(id: string, state: ExperimentRow["storage_state"]): "changed" | "absent" {
      return setState.run(state, id) > 0 ? "changed" : "absent";
    },

    /** Notes that a run was created. */
    noteRun(id: string, createdMs: number): void {
      const changed = touch.run(createdMs, id);
      assert(changed === 1, "a run is created in an experiment that exists");
    },

    /** Runs of the experiment stay. */
    remove(id: string): "removed" | "absent" | "is-default" {
      return database.transaction(() => {
        const row = byId.get(id);
        if (row === undefined) return "absent";
        if (row.is_default === 1) return "is-default";
        remove.run(id);
        return "removed";
      });
    },
  };
}
