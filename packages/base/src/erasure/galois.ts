/**
 * Arithmetic of the field of 256 elements with the polynomial x⁸ + x⁴ + x³ + x² + 1, in which 2 generates all
 * elements but 0. Addition is exclusive or.
 */
const POLYNOMIAL = 0x11d;
const ORDER = 255;

const { exponents, logarithms } = makeTables();

/** `exponents` is written twice, so that a sum of two logarithms needs no remainder. */
function makeTables(): { readonly exponents: Uint8Array; readonly logarithms: Uint8Array } {
  const powers = new Uint8Array(2 * ORDER);
  const logs = new Uint8Array(256);
  let value = 1;
  for (let exponent = 0; exponent < ORDER; exponent++) {
    powers[exponent] = value;
    powers[exponent + ORDER] = value;
    logs[value] = exponent;
    value <<= 1;
    if (value > 0xff) value ^= POLYNOMIAL;
  }
  return { exponents: powers, logarithms: logs };
}

export function multiply(left: number, right: number): number {
  if (left === 0 || right === 0) return 0;
  return exponents[(logarithms[left] ?? 0) + (logarithms[right] ?? 0)] ?? 0;
}

/** 1 / `value`; `value` is not 0. */
export function inverse(value: number): number {
  return exponents[ORDER - (logarithms[value] ?? 0)] ?? 0;
}

/** `base` to the power of `exponent`; 0⁰ is 1. */
export function power(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  if (base === 0) return 0;
  return exponents[((logarithms[base] ?? 0) * exponent) % ORDER] ?? 0;
}
