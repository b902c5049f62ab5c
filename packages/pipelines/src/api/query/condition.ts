import type { SqlValue } from "@kelp/base";

/** A piece of a WHERE clause with its values, in order. */
export interface SqlCondition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export function joinConditions(conditions: readonly SqlCondition[]): SqlCondition {
  if (conditions.length === 0) return { sql: "TRUE", values: [] };
  return {
    sql: conditions.map((condition) => `(${condition.sql})`).join(" AND "),
    values: conditions.flatMap((condition) => condition.values),
  };
}
