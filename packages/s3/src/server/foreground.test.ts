import { expect, test } from "bun:test";
import { Foreground } from "@kelp/base";
import { openTestDoor } from "../testing/door.ts";

test("the door tells of each request until it is answered", async () => {
  let nowMs = 0;
  const seen: string[] = [];
  const foreground = new Foreground({ monotonicMs: () => nowMs });
  await using door = await openTestDoor({
    authorize: () => {
      seen.push(foreground.load);
      return { kind: "allow" };
    },
    server: { foreground },
  });
  expect(foreground.load).toBe("none");
  await door.send("PUT", "/bucket");
  await door.send("GET", "/bucket/absent");
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.every((load) => load === "light")).toBe(true);
  await door.server.drain(AbortSignal.timeout(10_000));
  nowMs += 60_000;
  expect(foreground.load).toBe("none");
});
