import { type Fid, formatFid } from "@kelp/wire";
import type { FilerStore } from "../store/filer-store.ts";

const ROWS_AT_ONCE = 1000;

/** Every chunk that was queued as garbage up to the moment of asking; those freed meanwhile stay known. */
export class KnownGarbage {
  readonly #store: FilerStore;
  readonly #fids = new Set<string>();
  /** The same without cookies. */
  readonly #needles = new Set<string>();
  #afterId = 0;

  constructor(store: FilerStore) {
    this.#store = store;
  }

  has(fid: Fid): boolean {
    const name = formatFid(fid);
    if (this.#fids.has(name)) return true;
    this.#readNew();
    return this.#fids.has(name);
  }

  /** Whatever the cookie: that of a damaged needle may be damaged. */
  hasNeedle(fid: Fid): boolean {
    this.#readNew();
    return this.#needles.has(nameOf(fid));
  }

  #readNew(): void {
    for (;;) {
      const rows = this.#store.listGarbage({
        freedMsMax: Number.MAX_SAFE_INTEGER,
        afterId: this.#afterId,
        limit: ROWS_AT_ONCE,
      });
      for (const row of rows) {
        this.#afterId = row.id;
        for (const { fid } of row.chunks) {
          this.#fids.add(formatFid(fid));
          this.#needles.add(nameOf(fid));
        }
      }
      if (rows.length < ROWS_AT_ONCE) return;
    }
  }
}

function nameOf(fid: Fid): string {
  return formatFid({ ...fid, cookie: 0 });
}
