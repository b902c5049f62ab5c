import { type Hashes, type SqlDatabase, type SqlStatement, must } from "@kelp/base";
import type { TreeName } from "@kelp/wire";
import { FilerError } from "../../errors.ts";
import type { HolderCheck, NamedContent, UsageCheck } from "../filer-store.ts";
import { NO_CONTENT, chunksOf, contentOf } from "./content-rows.ts";
import { ENTRY_COLUMNS, ROW_COLUMNS, type StoredEntry } from "./entry-rows.ts";
import { checkSum, contentSum, damaged, entrySum, partSum } from "./row-sums.ts";
import { PART_COLUMNS, type StoredPart } from "./upload-rows.ts";

interface EntryContentRow extends StoredEntry {
  readonly treeId: number;
  readonly bytes: Uint8Array | null;
  readonly contentSum: number | null;
  readonly holders: number;
}

interface PastContentRow extends EntryContentRow {
  readonly until: number;
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
/** More of one kind say nothing new. */
const HOLDER_FINDINGS_MAX = 1000;
const FIRST_PAST = { treeId: 0, path: "", until: 0 };
const HOLDERS = `1 + coalesce((SELECT extra FROM content_shares WHERE content_shares.content_id = contents.id), 0)
  AS holders`;

/** Slow walks over everything, for checking only. */
export class ContentScan {
  readonly #hashes: Hashes;
  readonly #entries: SqlStatement<EntryContentRow>;
  readonly #past: SqlStatement<PastContentRow>;
  readonly #parts: SqlStatement<PartContentRow>;
  readonly #holders: SqlStatement<HolderCheck>;
  readonly #usage: SqlStatement<UsageRow>;
  readonly #treeName: SqlStatement<{ readonly name: string }>;

  constructor(database: SqlDatabase, hashes: Hashes) {
    this.#hashes = hashes;
    this.#treeName = database.prepare("SELECT name FROM trees WHERE id = ?");
    this.#entries = database.prepare(
      `SELECT tree_id AS treeId, ${ENTRY_COLUMNS}, contents.bytes AS bytes, contents.sum AS contentSum, ${HOLDERS}
       FROM entries LEFT JOIN contents ON contents.id = entries.content_id
       WHERE (tree_id, path) > (?, ?) ORDER BY tree_id, path LIMIT ?`,
    );
    this.#past = database.prepare(
      `SELECT tree_id AS treeId, ${ROW_COLUMNS}, past_entries.sum AS sum, until, contents.bytes AS bytes,
         contents.sum AS contentSum, ${HOLDERS}
       FROM past_entries LEFT JOIN contents ON contents.id = past_entries.content_id
       WHERE (tree_id, path, until) > (?, ?, ?) ORDER BY tree_id, path, until LIMIT ?`,
    );
    this.#holders = database.prepare(
      `SELECT content_id AS contentId, 1 + coalesce(extra, 0) AS holders, count(*) AS counted
       FROM (SELECT content_id FROM entries WHERE content_id > 0
             UNION ALL SELECT content_id FROM past_entries WHERE content_id > 0)
       LEFT JOIN content_shares USING (content_id)
       GROUP BY content_id HAVING holders <> counted LIMIT ${HOLDER_FINDINGS_MAX}`,
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

  /** So many rows are read in one turn. */
  *contents(rowsAtOnce = ROWS_AT_ONCE): Generator<NamedContent> {
    // Rows come tree by tree.
    let tree = { id: 0, name: "" };
    const nameOf = (id: number): string => {
      if (tree.id !== id) tree = { id, name: this.#treeName.get(id)?.name ?? `tree ${id}` };
      return tree.name;
    };
    let entry: { treeId: number; path: string } | undefined = { treeId: 0, path: "" };
    while (entry !== undefined) {
      const rows: EntryContentRow[] = this.#entries.all(entry.treeId, entry.path, rowsAtOnce);
      for (const row of rows) {
        const owner = `entry ${row.path} of ${nameOf(row.treeId)}`;
        yield this.#named(owner, row, () => this.#entryChunks(row));
      }
      entry = rows.length < rowsAtOnce ? undefined : must(rows.at(-1));
    }
    let past: { treeId: number; path: string; until: number } | undefined = FIRST_PAST;
    while (past !== undefined) {
      const { treeId, path, until }: typeof past = past;
      const rows: PastContentRow[] = this.#past.all(treeId, path, until, rowsAtOnce);
      for (const row of rows) {
        const owner = `former entry ${row.path} of ${nameOf(row.treeId)}`;
        yield this.#named(owner, row, () => this.#entryChunks(row));
      }
      past = rows.length < rowsAtOnce ? undefined : must(rows.at(-1));
    }
    let part: { upload: number; number: number } | undefined = { upload: 0, number: 0 };
    while (part !== undefined) {
      const rows: PartContentRow[] = this.#parts.all(part.upload, part.number, rowsAtOnce);
      for (const row of rows) {
        const owner = `part ${row.number} of upload ${row.upload}`;
        yield this.#named(owner, { sizeBytes: row.sizeBytes, holders: 1 }, () => {
          checkSum("a part of an upload", row.sum, partSum(this.#hashes, row));
          return { chunks: chunksOf(row.chunks) };
        });
      }
      part = rows.length < rowsAtOnce ? undefined : must(rows.at(-1));
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
    { sizeBytes, holders }: { readonly sizeBytes: number; readonly holders: number },
    read: () => Pick<NamedContent, "chunks" | "inlineBytes">,
  ): NamedContent {
    try {
      return { owner, sizeBytes, holders, ...read() };
    } catch (error) {
      if (!(error instanceof FilerError)) throw error;
      return { owner, sizeBytes, holders, chunks: [], damage: error.message };
    }
  }

  holders(): HolderCheck[] {
    return this.#holders.all();
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
