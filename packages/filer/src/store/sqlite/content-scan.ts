import { type Hashes, type SqlDatabase, type SqlStatement, must } from "@kelp/base";
import type { TreeName } from "@kelp/wire";
import { FilerError } from "../../errors.ts";
import type { NamedContent, UsageCheck } from "../filer-store.ts";
import { NO_CONTENT, chunksOf, contentOf } from "./content-rows.ts";
import { ENTRY_COLUMNS, type StoredEntry } from "./entry-rows.ts";
import { checkSum, contentSum, damaged, entrySum, partSum } from "./row-sums.ts";
import { PART_COLUMNS, type StoredPart } from "./upload-rows.ts";

interface EntryContentRow extends StoredEntry {
  readonly treeId: number;
  readonly bytes: Uint8Array | null;
  readonly contentSum: number | null;
}

interface PartContentRow extends StoredPart {
  readonly upload: number;
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
  readonly #hashes: Hashes;
  readonly #entries: SqlStatement<EntryContentRow>;
  readonly #parts: SqlStatement<PartContentRow>;
  readonly #usage: SqlStatement<UsageRow>;

  constructor(database: SqlDatabase, hashes: Hashes) {
    this.#hashes = hashes;
    this.#entries = database.prepare(
      `SELECT tree_id AS treeId, ${ENTRY_COLUMNS}, contents.bytes AS bytes, contents.sum AS contentSum
       FROM entries LEFT JOIN contents ON contents.id = content_id
       WHERE (tree_id, path) > (?, ?) ORDER BY tree_id, path LIMIT ?`,
    );
    this.#parts = database.prepare(
      `SELECT upload, ${PART_COLUMNS} FROM parts
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
        yield this.#named(`entry ${row.path}`, row.sizeBytes, () => this.#entryChunks(row));
      }
      entry = rows.length < ROWS_AT_ONCE ? undefined : must(rows.at(-1));
    }
    let part: { upload: number; number: number } | undefined = { upload: 0, number: 0 };
    while (part !== undefined) {
      const rows: PartContentRow[] = this.#parts.all(part.upload, part.number, ROWS_AT_ONCE);
      for (const row of rows) {
        const owner = `part ${row.number} of upload ${row.upload}`;
        yield this.#named(owner, row.sizeBytes, () => {
          checkSum("a part of an upload", row.sum, partSum(this.#hashes, row));
          return { chunks: chunksOf(row.chunks) };
        });
      }
      part = rows.length < ROWS_AT_ONCE ? undefined : must(rows.at(-1));
    }
  }

  #entryChunks(row: EntryContentRow): Pick<NamedContent, "chunks" | "inlineBytes"> {
    checkSum("an entry", row.sum, entrySum(this.#hashes, row));
    if (row.bytes === null) {
      if (row.contentId !== NO_CONTENT) throw damaged("content of an entry is absent");
      return { chunks: [] };
    }
    const found = contentSum(this.#hashes, row.contentId, row.bytes);
    checkSum("the content of an entry", row.contentSum, found);
    const content = contentOf(row.bytes, row.chunkCount);
    if (content.kind === "chunks") return { chunks: content.chunks };
    return { chunks: [], inlineBytes: content.bytes.length };
  }

  /** What is damaged is named all the same, without chunks: a check goes on behind it. */
  #named(
    owner: string,
    sizeBytes: number,
    read: () => Pick<NamedContent, "chunks" | "inlineBytes">,
  ): NamedContent {
    try {
      return { owner, sizeBytes, ...read() };
    } catch (error) {
      if (!(error instanceof FilerError)) throw error;
      return { owner, sizeBytes, chunks: [], damage: error.message };
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
