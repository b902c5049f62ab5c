/** Just enough of the protocol buffers' wire format for one small message: numbers, and bytes with their length. */

export type ProtoField =
  | { readonly number: number; readonly kind: "number"; readonly value: number }
  | { readonly number: number; readonly kind: "bytes"; readonly value: Buffer };

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** A number below 2⁵³; absent when 0, as the format wants it. */
export function numberField(number: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([tag(number, VARINT), varint(value)]);
}

/** Bytes, or a message inside. */
export function bytesField(number: number, value: Uint8Array): Buffer {
  return Buffer.concat([tag(number, LENGTH_DELIMITED), varint(value.length), value]);
}

/** The fields of a message in order, unknown ones included; `undefined` when it is cut or not of this format. */
export function readFields(message: Buffer): ProtoField[] | undefined {
  const fields: ProtoField[] = [];
  let at = 0;
  while (at < message.length) {
    const key = readVarint(message, at);
    if (key === undefined) return undefined;
    const number = Math.floor(key.value / 8);
    const wireType = key.value % 8;
    if (wireType === VARINT) {
      const value = readVarint(message, key.end);
      if (value === undefined) return undefined;
      fields.push({ number, kind: "number", value: value.value });
      at = value.end;
    } else if (wireType === LENGTH_DELIMITED) {
      const length = readVarint(message, key.end);
      if (length === undefined || length.end + length.value > message.length) return undefined;
      at = length.end + length.value;
      fields.push({ number, kind: "bytes", value: message.subarray(length.end, at) });
    } else if (wireType === FIXED_32 || wireType === FIXED_64) {
      at = key.end + (wireType === FIXED_32 ? 4 : 8);
      if (at > message.length) return undefined;
    } else {
      return undefined;
    }
  }
  return fields;
}

function tag(number: number, wireType: number): Buffer {
  return varint(number * 8 + wireType);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** `undefined` when it does not end, or is no safe integer. */
function readVarint(
  message: Buffer,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let at = start; at < message.length; at++) {
    const byte = message[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (!Number.isSafeInteger(value)) return undefined;
    if (byte < 0x80) return { value, end: at + 1 };
    scale *= 0x80;
  }
  return undefined;
}
