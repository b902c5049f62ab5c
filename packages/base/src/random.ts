/** Randomness as a port, so that a simulator can seed it. Only `platform` draws from the system. */
export interface Random {
  /** `count` random bytes in a fresh buffer owned by the caller. */
  bytes(count: number): Uint8Array;
  /** An unsigned 32-bit integer. */
  uint32(): number;
  /** A version 4 UUID in lower-case text. */
  uuid(): string;
}
