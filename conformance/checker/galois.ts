/** Arithmetic of GF(2⁸) with the polynomial 0x11D, from its definition. */

const LOGARITHMS = new Uint8Array(256);
const POWERS = new Uint8Array(510);
{
  let value = 1;
  for (let exponent = 0; exponent < 255; exponent += 1) {
    POWERS[exponent] = value;
    POWERS[exponent + 255] = value;
    LOGARITHMS[value] = exponent;
    value <<= 1;
    if (value > 255) value ^= 0x11d;
  }
}

export function multiply(left: number, right: number): number {
  if (left === 0 || right === 0) return 0;
  return POWERS[(LOGARITHMS[left] ?? 0) + (LOGARITHMS[right] ?? 0)] ?? 0;
}

function inverse(value: number): number {
  if (value === 0) throw new Error("Zero has no inverse");
  return POWERS[255 - (LOGARITHMS[value] ?? 0)] ?? 0;
}

function power(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  let value = 1;
  for (let step = 0; step < exponent; step += 1) value = multiply(value, base);
  return value;
}

type Matrix = readonly (readonly number[])[];

/** The rows that make parity shards of data shards: a Vandermonde matrix, made systematic. */
export function parityRows(dataShards: number, parityShards: number): Matrix {
  const rows = Array.from({ length: dataShards + parityShards }, (_, row) =>
    Array.from({ length: dataShards }, (__, column) => power(row, column)),
  );
  const top = invert(rows.slice(0, dataShards));
  return rows
    .slice(dataShards)
    .map((row) =>
      Array.from({ length: dataShards }, (_, column) =>
        row.reduce((sum, cell, index) => sum ^ multiply(cell, top[index]?.[column] ?? 0), 0),
      ),
    );
}

/** Gauss and Jordan, beside the unit matrix. */
function invert(matrix: Matrix): Matrix {
  const size = matrix.length;
  const work = matrix.map((row, at) => [
    ...row,
    ...Array.from({ length: size }, (_, column) => (column === at ? 1 : 0)),
  ]);
  for (let column = 0; column < size; column += 1) {
    const pivot = work.findIndex((row, at) => at >= column && row[column] !== 0);
    const row = work[pivot];
    const other = work[column];
    if (row === undefined || other === undefined) throw new Error("The matrix has no inverse");
    [work[pivot], work[column]] = [other, row];
    const factor = inverse(row[column] ?? 0);
    const scaled = row.map((cell) => multiply(cell, factor));
    work[column] = scaled;
    for (let at = 0; at < size; at += 1) {
      const target = work[at];
      if (at === column || target === undefined) continue;
      const times = target[column] ?? 0;
      work[at] = target.map((cell, index) => cell ^ multiply(times, scaled[index] ?? 0));
    }
  }
  return work.map((row) => row.slice(size));
}
