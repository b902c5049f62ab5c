import { multiply } from "./galois.ts";
import type { Matrix } from "./matrix.ts";

/**
 * `targets[r] = Σ rows[r][i] × sources[i]`, byte by byte. Slow and plain: what the kernel is tested against, and
 * what runs where the machine's WebAssembly has no vectors.
 */
export function combineScalar(
  rows: Matrix,
  sources: readonly Uint8Array[],
  targets: readonly Uint8Array[],
): void {
  for (const [index, target] of targets.entries()) {
    target.fill(0);
    for (const [column, source] of sources.entries()) {
      addProduct(target, source, rows[index]?.[column] ?? 0);
    }
  }
}

function addProduct(target: Uint8Array, source: Uint8Array, factor: number): void {
  if (factor === 0) return;
  const products = Uint8Array.from({ length: 256 }, (_cell, value) => multiply(factor, value));
  for (let at = 0; at < target.length; at++) {
    target[at] = (target[at] ?? 0) ^ (products[source[at] ?? 0] ?? 0);
  }
}
