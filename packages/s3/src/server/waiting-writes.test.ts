import { expect, test } from "bun:test";
import { WRITES_WAITING_MAX, WRITE_BYTES_CROWDED, WRITE_BYTES_MAX } from "../limits.ts";
import { WaitingWrites } from "./waiting-writes.ts";

test("writes are large until as many wait as may, and large again when one has ended", () => {
  const writes = new WaitingWrites();
  for (let count = 0; count < WRITES_WAITING_MAX; count++) {
    expect(writes.writeBytes).toBe(WRITE_BYTES_MAX);
    writes.began();
  }
  expect(writes.writeBytes).toBe(WRITE_BYTES_CROWDED);
  writes.ended();
  expect(writes.writeBytes).toBe(WRITE_BYTES_MAX);
});
