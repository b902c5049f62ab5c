import { COLON, CR, IS_TOKEN, IS_VALUE, LF, SPACE } from "./characters.ts";
import { statusLine } from "./status-line.ts";

/** Names as they are to be written. Several values of a name are several lines. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[]>>;

/** What a line takes beside its name and value. */
const LINE_OVERHEAD_BYTES = ": \r\n".length;

/**
 * The head of an answer as it is put together, in bytes from the first character on: as text it would be some twenty pieces that the runtime
 * joins, looks through and copies. One character is one byte.
 */
export class ResponseHead {
  readonly #usual: Buffer;
  #bytes: Buffer;
  #sizeBytes = 0;

  /** Keeps so many bytes, of which a head takes what it needs; a larger one has memory of its own until the next. */
  constructor(keptBytes: number) {
    this.#usual = Buffer.allocUnsafeSlow(keptBytes);
    this.#bytes = this.#usual;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The head, with what is kept behind it. To be overwritten. */
  borrowBytes(): Buffer {
    return this.#bytes;
  }

  copyBytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#sizeBytes));
  }

  clear(): void {
    this.#bytes = this.#usual;
    this.#sizeBytes = 0;
  }

  /**
   * Status line and header lines, without the empty line at the end. `Connection` is left out: it is the connection's to say. Throws
   * `TypeError` for a name or value that cannot stand in a head: answers hold what clients once sent.
   */
  addLines(status: number, headers: ResponseHeaders): void {
    this.addText(statusLine(status));
    for (const name in headers) {
      const value = headers[name];
      if (value === undefined || name === "Connection") continue;
      if (typeof value === "string") this.#addLine(name, value);
      else for (const each of value) this.#addLine(name, each);
    }
  }

  /** Of the program's own, in ASCII. */
  addText(text: string): void {
    this.#makeRoom(text.length);
    const bytes = this.#bytes;
    const start = this.#sizeBytes;
    for (let at = 0; at < text.length; at++) bytes[start + at] = text.charCodeAt(at);
    this.#sizeBytes = start + text.length;
  }

  addBytes(added: Uint8Array): void {
    this.#makeRoom(added.length);
    this.#bytes.set(added, this.#sizeBytes);
    this.#sizeBytes += added.length;
  }

  #addLine(name: string, value: string): void {
    this.#makeRoom(name.length + value.length + LINE_OVERHEAD_BYTES);
    const bytes = this.#bytes;
    let at = putText(bytes, this.#sizeBytes, name, IS_TOKEN);
    if (at === -1 || name === "") throw new TypeError("The name of a header cannot be sent");
    bytes[at++] = COLON;
    bytes[at++] = SPACE;
    at = putText(bytes, at, value, IS_VALUE);
    if (at === -1) throw new TypeError(`The value of the header ${name} cannot be sent`);
    bytes[at++] = CR;
    bytes[at++] = LF;
    this.#sizeBytes = at;
  }

  #makeRoom(addedBytes: number): void {
    const neededBytes = this.#sizeBytes + addedBytes;
    if (neededBytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * neededBytes);
    larger.set(this.#bytes.subarray(0, this.#sizeBytes));
    this.#bytes = larger;
  }
}

/** Where it ends, or −1 where a character may not stand there. */
// oxlint-disable-next-line max-params -- the four are of four kinds, and an object would be made for every line
function putText(bytes: Uint8Array, start: number, text: string, table: Uint8Array): number {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // Behind the table, for what is no byte, nothing is allowed.
    if (table[code] !== 1) return -1;
    bytes[start + at] = code;
  }
  return start + text.length;
}
