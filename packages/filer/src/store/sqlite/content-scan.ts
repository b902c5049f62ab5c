import { type SqlDatabase, type SqlStatement, must } from "@kelp/base";
import type { TreeName } from "@kelp/wire";
import type { NamedContent, UsageCheck } from "../filer-store.ts";
import { chunksOf } from "./content-rows.ts";

interface EntryContentRow {
  readonly treeId: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly bytes: Uint8Array | null;
}

interface PartContentRow {
  readonly upload: number;
  readonly number: number;
  readonly sizeBytes: number;
  readonly bytes: Uint8Array;
}

interface UsageRow {
  readonly name: TreeName;
  readonly counterBytes: number;
  readonly counterEntries: number;
  readonly counterChunks: number;
  readonly countedBytes: number;
  readonly countedEntries: number;
  readonly countedChunks: number;
}

const ROWS_AT_ONCE = 500;

/** Slow walks over everything, for checking only. */
export class ContentScan {
  readonly #entries: SqlStatement<EntryContentRow>;
  readonly #parts: SqlStatement<PartContentRow>;
  readonly #usage: SqlStatement<UsageRow>;

  constructor(database: SqlDatabase) {
    this.#entries = database.prepare(
      `SELECT tree_id AS treeId, path, size_bytes AS sizeBytes, contents.bytes AS bytes
       FROM entries LEFT JOIN contents ON contents.id = content_id
       WHERE (tree_id, path) > (?, ?) AND chunk_count > 0 ORDER BY tree_id, path LIMIT ?`,
    );
    this.#parts = database.prepare(
      `SELECT upload, number, size_bytes AS sizeBytes, chunks AS bytes FROM parts
       WHERE (upload, number) > (?, ?) ORDER BY upload, number LIMIT ?`,
    );
    this.#usage = database.prepare(
      `SELECT name, usage_bytes AS counterBytes, usage_entries AS counterEntries, usage_chunks AS counterChunks,
         coalesce(e.bytes, 0) + coalesce(p.bytes, 0) AS countedBytes,
         coalesce(e.entries, 0) AS countedEntries,
         coalesce(e.chunks, 0) + coalesce(p.chunks, 0) AS countedChunks
       FROM trees
       LEFT JOIN (SELECT tree_id, count(*) AS entries, sum(size_bytes) AS bytes, sum(chunk_count) AS chunks
                  FROM entries GROUP BY tree_id) AS e ON e.tree_id = trees.id
       LEFT JOIN (SELECT tree_id, sum(size_bytes) AS bytes, sum(chunk_count) AS chunks
                  FROM parts JOIN uploads ON uploads.number = parts.upload GROUP BY tree_id) AS p
         ON p.tree_id = trees.id
       ORDER BY name`,
    );
  }

  *contents(): Generator<NamedContent> {
    let entry: { treeId: number; path: string } | undefined = { treeId: 0, path: "" };
    while (entry !== undefined) {
      const rows: EntryContentRow[] = this.#entries.all(entry.treeId, entry.path, ROWS_AT_ONCE);
      for (const row of rows) {
        const chunks = row.bytes === null ? [] : chunksOf(row.bytes);
        yield { owner: `entry ${row.path}`, sizeBytes: row.sizeBytes, chunks };
      }
      entry = rows.length < ROWS_AT_ONCE ? undefined : must(rows.at(-1));
    }
    let part: { upload: number; number: number } | undefined = { upload: 0, number: 0 };
    while (part !== undefined) {
      const rows: PartContentRow[] = this.#parts.all(part.upload, part.number, ROWS_AT_ONCE);
      for (const row of rows) {
        const owner = `part ${row.number} of upload ${row.upload}`;
        yield { owner, sizeBytes: row.sizeBytes, chunks: chunksOf(row.bytes) };
      }
      part = rows.length < ROWS_AT_ONCE ? undefined : must(rows.at(-1));
    }
  }

  usage(): UsageCheck[] {
    return this.#usage.all().map((row) => ({
      tree: row.name,
      counter: {
        bytes: row.counterBytes,
        entries: row.counterEntries,
        chunks: row.counterChunks,
      },
      counted: {
        bytes: row.countedBytes,
        entries: row.countedEntries,
        chunks: row.countedChunks,
      },
    }));
  }
}
