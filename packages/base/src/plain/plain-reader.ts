import { assert } from "../assert.ts";
import { TAG } from "./tags.ts";

/** Reads what one `PlainWriter` wrote, all of it in its order. The other side is this very program: what does not fit is a bug. */
export class PlainReader {
  readonly #shapes: (readonly string[])[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;

  /** Begins with bytes that end with a whole value. Bytes among what is read are views of them: nobody may change them from now on. */
  begin(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = 0;
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  read(): unknown {
    const tag = this.#bytes[this.#at++];
    switch (tag) {
      case TAG.shortText:
        return this.#text(this.#bytes[this.#at++] ?? 0, "latin1");
      case TAG.int32:
        return this.#view.getInt32(this.#skip(4), true);
      case TAG.number:
        return this.#view.getFloat64(this.#skip(8), true);
      case TAG.undefined:
        return undefined;
      case TAG.record:
        return this.#record(this.#known());
      case TAG.bytes:
        return this.#raw();
      case TAG.list:
        return this.#list();
      case TAG.newRecord:
        return this.#newRecord();
      case TAG.oddRecord:
        return this.#record(this.#keys());
      case TAG.false:
        return false;
      case TAG.true:
        return true;
      case TAG.null:
        return null;
      case TAG.int64:
        return this.#view.getBigInt64(this.#skip(8), true);
      case TAG.bigint:
        return BigInt(this.read() as string);
      case TAG.text:
        return this.#text(this.#count(), "utf8");
      case TAG.wideText:
        return this.#text(this.#count(), "utf16le");
      case TAG.map:
        return this.#map();
      case undefined:
      default:
        return assert(false, () => `a value has a known tag, not ${tag}`);
    }
  }

  #record(keys: readonly string[]): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] ?? "";
      const value = this.read();
      // Assigned, it would be the record's prototype.
      if (key === "__proto__") define(record, key, value);
      else record[key] = value;
    }
    return record;
  }

  #known(): readonly string[] {
    const keys = this.#shapes[this.#view.getUint16(this.#skip(2), true)];
    assert(keys !== undefined, "a shape is named before it is used");
    return keys;
  }

  #newRecord(): Record<string, unknown> {
    const keys = this.#keys();
    this.#shapes.push(keys);
    return this.#record(keys);
  }

  #keys(): readonly string[] {
    const keys: string[] = [];
    for (let left = this.#count(); left > 0; left--) keys.push(this.read() as string);
    return keys;
  }

  #list(): unknown[] {
    const list: unknown[] = [];
    for (let left = this.#count(); left > 0; left--) list.push(this.read());
    return list;
  }

  #map(): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    for (let left = this.#count(); left > 0; left--) map.set(this.read(), this.read());
    return map;
  }

  #raw(): Uint8Array {
    const sizeBytes = this.#count();
    const start = this.#skip(sizeBytes);
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, sizeBytes);
  }

  #text(sizeBytes: number, encoding: "latin1" | "utf8" | "utf16le"): string {
    const start = this.#skip(sizeBytes);
    return this.#bytes.toString(encoding, start, start + sizeBytes);
  }

  #count(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  #skip(byteCount: number): number {
    const start = this.#at;
    this.#at += byteCount;
    assert(this.#at <= this.#bytes.length, "a value ends within its bytes");
    return start;
  }
}

function define(record: object, key: string, value: unknown): void {
  Object.defineProperty(record, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
