import { must } from "@kelp/base";

/**
 * The CRC of a whole from the CRCs of its pieces, without their bytes.
 * For reflected CRCs with all ones in and out: crc(A‖B) = crc(A)·x^(8·|B|) ⊕ crc(B), modulo the polynomial over GF(2).
 * Bit W−1 of a reflected value is the coefficient of x⁰. Powers x^(2^k) are kept in a table, so that one piece costs
 * as many multiplications as its size has bits.
 */

type Crc = "crc32" | "crc32c" | "crc64nvme";

interface Field {
  readonly widthBits: number;
  /** Reflected polynomial without its leading term. */
  readonly polynomial: bigint;
  /** Element k is x^(2^k). */
  readonly powers: readonly bigint[];
}

const POWERS = 64;

const FIELDS: Readonly<Record<Crc, Field>> = {
  crc32: makeField(32, 0xedb88320n),
  crc32c: makeField(32, 0x82f63b78n),
  crc64nvme: makeField(64, 0x9a6c9329ac4bc9b5n),
};

/** `pieces` in order, each CRC big-endian as it stands in base64. Returns the CRC of their concatenation in the same form. */
export function combineCrc(
  name: Crc,
  pieces: readonly { readonly crc: Uint8Array; readonly sizeBytes: number }[],
): Uint8Array {
  const field = FIELDS[name];
  // Parts are mostly of one size: their shift is computed once.
  const shifts = new Map<number, bigint>();
  let combined = 0n;
  for (const piece of pieces) {
    let shift = shifts.get(piece.sizeBytes);
    if (shift === undefined) {
      shift = powerOfX(field, BigInt(piece.sizeBytes) * 8n);
      shifts.set(piece.sizeBytes, shift);
    }
    combined = multiply(field, shift, combined) ^ fromBytes(piece.crc);
  }
  return toBytes(combined, field.widthBits / 8);
}

function makeField(widthBits: number, polynomial: bigint): Field {
  const powers: bigint[] = [];
  const field = { widthBits, polynomial, powers };
  let power = 1n << BigInt(widthBits - 2);
  for (let k = 0; k < POWERS; k++) {
    powers.push(power);
    power = multiply(field, power, power);
  }
  return field;
}

function powerOfX(field: Field, exponent: bigint): bigint {
  let result = 1n << BigInt(field.widthBits - 1);
  for (let k = 0, rest = exponent; rest > 0n; k++, rest >>= 1n) {
    if (rest & 1n) result = multiply(field, must(field.powers[k]), result);
  }
  return result;
}

function multiply(field: Field, left: bigint, right: bigint): bigint {
  let product = 0n;
  let shifted = right;
  for (let bit = field.widthBits - 1; bit >= 0; bit--) {
    if ((left >> BigInt(bit)) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ field.polynomial : shifted >> 1n;
  }
  return product;
}

function fromBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

function toBytes(value: bigint, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let rest = value;
  for (let at = sizeBytes - 1; at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  return bytes;
}
