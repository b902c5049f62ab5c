/**
 * What the write-ahead log of an SQLite database says of itself. SQLite takes the frames up to the first whose running
 * checksum fails, and takes the rest for an unfinished write. That is right after a power cut and wrong after rot, which
 * then silently takes back every transaction behind the damage. The two can be told apart.
 *
 * Every commit is synced before the next one begins. So a power cut can only harm the frames of one transaction, and
 * behind the first bad frame there is at most the one frame that ends it. Where an unbroken run of frames holds the ends
 * of two, the first of them was synced with all before it: what is bad before it has rotted.
 *
 * What rots in the last transaction cannot be told from an unfinished write: nothing is behind it. Setting a flipped bit
 * right is no way out, since the sums are weak: high bits of many words add the same to them, so a counter in a
 * sector that was not written can look like a bit that flipped elsewhere.
 */

/** Read-only, with `read` giving all that was asked for. */
export interface LogBytes {
  readonly sizeBytes: number;
  read(offset: number, sizeBytes: number): Uint8Array;
}

export type LogState =
  /** As a stop, a kill or a power cut leaves it. */
  | { readonly kind: "whole" }
  /** What stands there is not what was written, and committed transactions are lost by it. */
  | { readonly kind: "damaged"; readonly offset: number };

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
const VERSION = 3_007_000;
const PAGE_BYTES_MIN = 512;
const PAGE_BYTES_MAX = 65_536;
/** Of databases that Kelp makes: for a log whose header does not tell. */
const PAGE_BYTES_USUAL = 4096;
const READ_BYTES = 1024 * 1024;
/** What a disk writes as a whole at least. */
const SECTOR_BYTES = 512;
/** Ends of transactions in one run that only rot explains. */
const COMMITS_PROVING = 2;

type Pair = readonly [number, number];

interface LogShape {
  readonly pageBytes: number;
  /** Byte order of the words that are summed. */
  readonly isLittle: boolean;
  readonly salts: Pair;
  /** Where the running checksum begins. */
  readonly sums: Pair;
}

interface Frame {
  readonly offset: number;
  readonly view: DataView;
  readonly salts: Pair;
  /** As it stands in the frame. */
  readonly sums: Pair;
  readonly isCommit: boolean;
}

/** Reads the log once, a piece at a time. */
export function inspectLog(log: LogBytes): LogState {
  if (log.sizeBytes < HEADER_BYTES + FRAME_HEADER_BYTES + PAGE_BYTES_MIN) return { kind: "whole" };
  const header = viewOf(log.read(0, HEADER_BYTES));
  const shape = readShape(header);
  if (shape === undefined) return behindHeader(log, header);
  let sums = shape.sums;
  let bad: BadFrame | undefined;
  const run = new CommitRun();
  for (const frame of framesOf(log, shape.pageBytes)) {
    const isNext = follows(frame, sums, shape);
    if (bad === undefined && isNext) {
      sums = frame.sums;
      continue;
    }
    if (bad?.next !== undefined && !isNext && follows(frame, bad.next, shape)) {
      // All of the bad frame but its checksum is as it was written, its mark included.
      run.begin(bad.isCommit);
      run.goOn(frame);
    } else if (isNext) run.goOn(frame);
    else run.begin(isCertainCommit(frame, shape.salts));
    if (bad === undefined) {
      const { offset, isCommit } = frame;
      bad = { offset, isCommit, next: sumOf(frame, sums, shape) };
    } else {
      if (run.isProof) return { kind: "damaged", offset: bad.offset };
      bad = { ...bad, next: undefined };
    }
    sums = frame.sums;
  }
  return { kind: "whole" };
}

/** The first that is not what was written. */
interface BadFrame {
  readonly offset: number;
  readonly isCommit: boolean;
  /** The checksum that it should have; forgotten behind the frame after it. */
  readonly next: Pair | undefined;
}

/** Commits in frames of which each follows from the one before it. */
class CommitRun {
  #count = 0;

  begin(isCommit: boolean): void {
    this.#count = isCommit ? 1 : 0;
  }

  goOn(frame: Frame): void {
    if (frame.isCommit) this.#count += 1;
  }

  get isProof(): boolean {
    return this.#count >= COMMITS_PROVING;
  }
}

/**
 * Ends a frame that does not follow from the one before it a transaction all the same? It counts where others follow from it, so
 * its checksum is that of this log; so is its mark when it came to the disk in one piece with that, or with current salts.
 */
function isCertainCommit({ offset, isCommit, salts }: Frame, current: Pair): boolean {
  const isOnePiece = (sizeBytes: number): boolean =>
    Math.floor(offset / SECTOR_BYTES) === Math.floor((offset + sizeBytes - 1) / SECTOR_BYTES);
  return isCommit && (isOnePiece(24) || (isOnePiece(16) && isSame(salts, current)));
}

function readShape(header: DataView): LogShape | undefined {
  const magic = header.getUint32(0);
  if ((magic & ~1) >>> 0 !== MAGIC || header.getUint32(4) !== VERSION) return undefined;
  const pageBytes = header.getUint32(8);
  if (!isPageSize(pageBytes)) return undefined;
  const isLittle = (magic & 1) === 0;
  const sums = pairAt(header, 24);
  if (!isSame(addWords(header, 0, 24, [0, 0], isLittle), sums)) return undefined;
  return { pageBytes, isLittle, salts: pairAt(header, 16), sums };
}

/** Is one bit of the header all that is wrong? The first frame, which was written behind a synced header, bears witness. */
function hasFlippedBit(log: LogBytes, header: DataView): boolean {
  const bytes = new Uint8Array(header.buffer, header.byteOffset, HEADER_BYTES).slice();
  for (let bit = 0; bit < HEADER_BYTES * 8; bit += 1) {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const shape = readShape(viewOf(bytes));
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (shape === undefined) continue;
    const [first] = framesOf(log, shape.pageBytes);
    if (first !== undefined && follows(first, shape.sums, shape)) return true;
  }
  return false;
}

/** The header is synced before any frame is written, so transactions behind a bad one prove rot as well. */
function behindHeader(log: LogBytes, header: DataView): LogState {
  if (hasFlippedBit(log, header)) return { kind: "damaged", offset: 0 };
  const pageBytes = isPageSize(header.getUint32(8)) ? header.getUint32(8) : PAGE_BYTES_USUAL;
  const run = new CommitRun();
  let last: Frame | undefined;
  for (const frame of framesOf(log, pageBytes)) {
    const { salts, sums = [0, 0] } = last ?? {};
    const isNext =
      salts !== undefined &&
      [true, false].some((isLittle) => follows(frame, sums, { salts, isLittle }));
    if (isNext) run.goOn(frame);
    else run.begin(isCertainCommit(frame, frame.salts));
    if (run.isProof) return { kind: "damaged", offset: 0 };
    last = frame;
  }
  return { kind: "whole" };
}

/** Whole frames in their order. The views hold until the next frame is asked for. */
function* framesOf(log: LogBytes, pageBytes: number): Generator<Frame> {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const count = Math.floor((log.sizeBytes - HEADER_BYTES) / frameBytes);
  const countAtOnce = Math.max(1, Math.floor(READ_BYTES / frameBytes));
  for (let from = 0; from < count; from += countAtOnce) {
    const piece = Math.min(countAtOnce, count - from);
    const start = HEADER_BYTES + from * frameBytes;
    const bytes = log.read(start, piece * frameBytes);
    for (let at = 0; at < bytes.length; at += frameBytes) {
      const view = viewOf(bytes.subarray(at, at + frameBytes));
      yield {
        offset: start + at,
        view,
        salts: pairAt(view, 8),
        sums: pairAt(view, 16),
        isCommit: view.getUint32(4) !== 0,
      };
    }
  }
}

function follows(frame: Frame, before: Pair, shape: Pick<LogShape, "salts" | "isLittle">): boolean {
  return isSame(frame.salts, shape.salts) && isSame(frame.sums, sumOf(frame, before, shape));
}

/** The running checksum behind a frame: it covers page number, commit mark and page. */
function sumOf({ view }: Frame, before: Pair, { isLittle }: Pick<LogShape, "isLittle">): Pair {
  const sums = addWords(view, 0, 8, before, isLittle);
  return addWords(view, FRAME_HEADER_BYTES, view.byteLength, sums, isLittle);
}

function addWords(view: DataView, start: number, end: number, sums: Pair, isLittle: boolean): Pair {
  let [first, second] = sums;
  for (let at = start; at < end; at += 8) {
    first = (first + view.getUint32(at, isLittle) + second) | 0;
    second = (second + view.getUint32(at + 4, isLittle) + first) | 0;
  }
  return [first >>> 0, second >>> 0];
}

function isPageSize(sizeBytes: number): boolean {
  const isPower = (sizeBytes & (sizeBytes - 1)) === 0;
  return isPower && sizeBytes >= PAGE_BYTES_MIN && sizeBytes <= PAGE_BYTES_MAX;
}

function pairAt(view: DataView, offset: number): Pair {
  return [view.getUint32(offset), view.getUint32(offset + 4)];
}

function isSame(left: Pair, right: Pair): boolean {
  return left[0] === right[0] && left[1] === right[1];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
