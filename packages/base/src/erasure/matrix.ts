import { assert } from "../assert.ts";
import { inverse, multiply, power } from "./galois.ts";

/** Rows of elements of the field. */
export type Matrix = readonly Uint8Array[];

/**
 * The matrix that makes all shards of data shards: `total` rows of `data` elements. The first `data` rows are the identity,
 * so that data shards hold the data itself; any `data` rows together can be inverted. It is a Vandermonde matrix
 * (row r is r⁰, r¹, r² …) times the inverse of its own top, as klauspost/reedsolomon makes it by default.
 */
export function systematicMatrix(total: number, data: number): Matrix {
  const vandermonde = Array.from({ length: total }, (_row, row) =>
    Uint8Array.from({ length: data }, (_cell, column) => power(row, column)),
  );
  const inverted = invert(vandermonde.slice(0, data));
  assert(inverted !== undefined, "the top of a Vandermonde matrix can be inverted");
  return multiplyMatrices(vandermonde, inverted);
}

export function multiplyMatrices(left: Matrix, right: Matrix): Matrix {
  return left.map((row) =>
    Uint8Array.from({ length: right[0]?.length ?? 0 }, (_cell, column) => {
      let sum = 0;
      for (const [index, value] of row.entries()) {
        sum ^= multiply(value, right[index]?.[column] ?? 0);
      }
      return sum;
    }),
  );
}

/** Gauss and Jordan's elimination; `undefined` when there is no inverse. */
export function invert(matrix: Matrix): Matrix | undefined {
  const size = matrix.length;
  const rows = matrix.map((row, index) => {
    const wide = new Uint8Array(2 * size);
    wide.set(row);
    wide[size + index] = 1;
    return wide;
  });
  for (let column = 0; column < size; column++) {
    const pivotAt = rows.findIndex((row, index) => index >= column && row[column] !== 0);
    const pivot = rows[pivotAt];
    if (pivot === undefined) return undefined;
    rows[pivotAt] = rows[column] ?? pivot;
    rows[column] = pivot;
    scale(pivot, inverse(pivot[column] ?? 0));
    for (const row of rows) {
      if (row !== pivot) addScaled(row, pivot, row[column] ?? 0);
    }
  }
  return rows.map((row) => row.slice(size));
}

function scale(row: Uint8Array, factor: number): void {
  for (let at = 0; at < row.length; at++) row[at] = multiply(row[at] ?? 0, factor);
}

function addScaled(row: Uint8Array, other: Uint8Array, factor: number): void {
  if (factor === 0) return;
  for (let at = 0; at < row.length; at++) {
    row[at] = (row[at] ?? 0) ^ multiply(other[at] ?? 0, factor);
  }
}
