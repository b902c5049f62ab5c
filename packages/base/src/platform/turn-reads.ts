import type { Database, Statement } from "bun:sqlite";

/** From so many reads in a turn on, one transaction around them costs less than the locks of each. */
const READS_WORTH_IT = 3;
/** After a turn of fewer, so many reads are made one by one before a turn is tried again: who asks one thing at a time pays for little. */
const READS_BY_THEMSELVES = 64;

/**
 * The reads that a connection makes in one turn of the event loop, in one transaction: SQLite takes its locks, looks for newer
 * pages and lets go once for all of them instead of for each. Half of what a read of a row costs is that.
 *
 * Invariants:
 * - what is read is the newest state: only this connection commits, and whatever may write ends the transaction first;
 * - it ends with the turn, so that nobody who folds the log waits for it longer.
 */
export class TurnReads {
  readonly #database: Database;
  readonly #begin: Statement;
  /** Nothing was written, and in a damaged file a commit would fail over what the reads have met already. */
  readonly #rollBack: Statement;
  #isHeld = false;
  #isStopped = false;
  #isEndAwaited = false;
  #readCount = 0;
  #leftByThemselves = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#begin = database.prepare("BEGIN");
    this.#rollBack = database.prepare("ROLLBACK");
  }

  /** To be called before each statement that only reads. */
  reading(): void {
    if (this.#isStopped) return;
    if (this.#isHeld) {
      this.#readCount += 1;
      return;
    }
    if (this.#leftByThemselves > 0) {
      this.#leftByThemselves -= 1;
      return;
    }
    this.#begin.run();
    this.#isHeld = true;
    this.#readCount = 1;
    if (this.#isEndAwaited) return;
    this.#isEndAwaited = true;
    setImmediate(this.#ended);
  }

  /** To be called before anything else that is done with the connection. */
  end(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    if (this.#readCount < READS_WORTH_IT) this.#leftByThemselves = READS_BY_THEMSELVES;
    // Some errors of a disk end a transaction.
    if (this.#database.inTransaction) this.#rollBack.run();
  }

  /** From here on the connection has a transaction of its own, or none. */
  stop(): void {
    this.end();
    this.#isStopped = true;
  }

  /** That transaction is over. */
  resume(): void {
    this.#isStopped = false;
  }

  readonly #ended = (): void => {
    this.#isEndAwaited = false;
    this.end();
  };
}
