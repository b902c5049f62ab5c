import { assert } from "../assert.ts";
import { ShapeTree } from "./shape-tree.ts";
import { DEPTH_MAX, SHORT_TEXT_MAX, TAG } from "./tags.ts";

const FIRST_BYTES = 64 * 1024;
/** A buffer that a large value made larger than this is not kept. */
const KEPT_BYTES_MAX = 1024 * 1024;
const INT32_MAX = 0x7f_ff_ff_ff;
const INT64_MAX = 2n ** 63n - 1n;
const LATIN_MAX = 0xff;

/**
 * Writes plain data (see `tags.ts`) one value behind the other, for a `PlainReader` that reads all of it in the same order: shapes of
 * records are named once for all.
 */
export class PlainWriter {
  readonly #shapes = new ShapeTree();
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = viewOf(this.#bytes);
  #at = 0;

  get sizeBytes(): number {
    return this.#at;
  }

  /** Keeps `byteCount` bytes free here, for who takes the whole. */
  leave(byteCount: number): void {
    this.#room(byteCount);
    this.#at += byteCount;
  }

  /** All values, or none of them when one is no plain data (`AssertionError`). They are copied. */
  write(...values: readonly unknown[]): void {
    const start = this.#at;
    try {
      for (const value of values) this.#value(value, 0);
      this.#shapes.keep();
    } catch (error) {
      this.#at = start;
      this.#shapes.forgetFresh();
      throw error;
    }
  }

  /** What was written since the last time; the caller must be done with it before the next `write`. */
  borrow(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#replace(Buffer.allocUnsafeSlow(FIRST_BYTES));
    return taken;
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case "string":
        this.#text(value);
        return;
      case "number":
        this.#number(value);
        return;
      case "object":
        if (value === null) this.#tag(TAG.null);
        else this.#object(value, depth + 1);
        return;
      case "boolean":
        this.#tag(value ? TAG.true : TAG.false);
        return;
      case "undefined":
        this.#tag(TAG.undefined);
        return;
      case "bigint":
        this.#bigint(value);
        return;
      case "function":
      case "symbol":
      default:
        assert(false, "what crosses is plain data");
    }
  }

  #object(value: object, depth: number): void {
    assert(depth <= DEPTH_MAX, "plain data does not go round in circles");
    if (Array.isArray(value)) {
      this.#counted(TAG.list, value.length);
      for (let index = 0; index < value.length; index++) this.#value(value[index], depth);
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) this.#record(value, depth);
    else if (value instanceof Uint8Array) this.#raw(value);
    else if (value instanceof Map) {
      this.#counted(TAG.map, value.size);
      for (const [key, item] of value) {
        this.#value(key, depth);
        this.#value(item, depth);
      }
    } else assert(false, "what crosses is plain data");
  }

  #record(record: object, depth: number): void {
    const shape = this.#shapes.find(record);
    const { keys } = shape;
    if ("number" in shape) {
      this.#room(3);
      this.#bytes[this.#at] = TAG.record;
      this.#view.setUint16(this.#at + 1, shape.number, true);
      this.#at += 3;
    } else {
      this.#counted(shape.kind === "new" ? TAG.newRecord : TAG.oddRecord, keys.length);
      for (const key of keys) this.#text(key);
    }
    const values = record as Readonly<Record<string, unknown>>;
    for (let index = 0; index < keys.length; index++) this.#value(values[keys[index] ?? ""], depth);
  }

  #number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.#room(5);
      this.#bytes[this.#at] = TAG.int32;
      this.#view.setInt32(this.#at + 1, value, true);
      this.#at += 5;
      return;
    }
    this.#room(9);
    this.#bytes[this.#at] = TAG.number;
    this.#view.setFloat64(this.#at + 1, value, true);
    this.#at += 9;
  }

  #bigint(value: bigint): void {
    if (value > INT64_MAX || value < -INT64_MAX) {
      this.#tag(TAG.bigint);
      this.#text(value.toString());
      return;
    }
    this.#room(9);
    this.#bytes[this.#at] = TAG.int64;
    this.#view.setBigInt64(this.#at + 1, value, true);
    this.#at += 9;
  }

  #text(text: string): void {
    if (text.length <= SHORT_TEXT_MAX && this.#latin(text)) return;
    const encoding = text.isWellFormed() ? "utf8" : "utf16le";
    // UTF-16 has two bytes a unit, UTF-8 at most three.
    this.#room(5 + text.length * 3);
    const sizeBytes = this.#bytes.write(text, this.#at + 5, encoding);
    this.#bytes[this.#at] = encoding === "utf8" ? TAG.text : TAG.wideText;
    this.#view.setUint32(this.#at + 1, sizeBytes, true);
    this.#at += 5 + sizeBytes;
  }

  /** False, and nothing written, when there are other letters in it. */
  #latin(text: string): boolean {
    const { length } = text;
    this.#room(2 + length);
    const bytes = this.#bytes;
    const start = this.#at + 2;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > LATIN_MAX) return false;
      bytes[start + index] = unit;
    }
    bytes[this.#at] = TAG.shortText;
    bytes[this.#at + 1] = length;
    this.#at = start + length;
    return true;
  }

  #raw(value: Uint8Array): void {
    this.#counted(TAG.bytes, value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #counted(tag: number, count: number): void {
    this.#room(5);
    this.#bytes[this.#at] = tag;
    this.#view.setUint32(this.#at + 1, count, true);
    this.#at += 5;
  }

  #tag(tag: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = tag;
  }

  #room(neededBytes: number): void {
    const sizeBytes = this.#at + neededBytes;
    if (sizeBytes <= this.#bytes.length) return;
    assert(sizeBytes <= INT32_MAX, "what waits to be sent is bounded");
    const larger = Buffer.allocUnsafeSlow(Math.max(sizeBytes, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#replace(larger);
  }

  #replace(bytes: Buffer<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer<ArrayBuffer>): DataView {
  return new DataView(buffer, byteOffset, length);
}
