import type { NeedleId } from "@kelp/wire";

/** A needle id as two unsigned 32-bit halves: hot loops and typed arrays do without bigint. */
export function idHigh(id: NeedleId): number {
  return Number(id >> 32n);
}

export function idLow(id: NeedleId): number {
  return Number(BigInt.asUintN(32, id));
}

/** The halves joined; 0 for a slot or record that holds no needle. */
export function joinIdHalves(high: number, low: number): bigint {
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}
