import { randomBytes, randomUUID } from "node:crypto";
import type { Random } from "../random.ts";

/** The operating system's generator. */
export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  uint32: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
  uuid: () => randomUUID(),
};
