import { expect, test } from "bun:test";
import type { Clock } from "@kelp/base";
import { systemClock } from "@kelp/base/platform";
import { openTestDoor } from "../testing/door.ts";

/** The system's time, but that what is to happen later happens when a test says so. */
function lookingClock(): { readonly clock: Clock; readonly look: () => void } {
  let pending: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    schedule: (_, run) => {
      pending.push(run);
      return {
        cancel: () => {
          pending = pending.filter((each) => each !== run);
        },
      };
    },
  };
  return {
    clock,
    look: () => {
      const due = pending;
      pending = [];
      for (const run of due) run();
    },
  };
}

test.each([
  ["a body read whole", 100],
  ["a body that streams", 5_000_000],
])("who stalls in %s is told RequestTimeout, and stores nothing", async (_, sizeBytes) => {
  const { clock, look } = lookingClock();
  await using door = await openTestDoor({ server: { clock } });
  await door.send("PUT", "/bkt");
  const socket = await door.connect();
  let received = "";
  const ended = new Promise<void>((resolve) => {
    socket.on("data", (piece: Buffer) => {
      received += piece.toString("latin1");
      if (received.includes("</Error>")) resolve();
    });
  });
  socket.write(
    `PUT /bkt/k HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${sizeBytes}\r\n\r\n`,
  );
  while (!received.includes("100 Continue")) await turn();
  socket.write("begin");
  for (let turns = 0; turns < 10_000 && !received.includes("</Error>"); turns++) {
    look();
    await turn();
  }
  await ended;
  socket.destroy();
  expect(received).toContain("HTTP/1.1 400 Bad Request");
  expect(received).toContain("<Code>RequestTimeout</Code>");
  expect(received).toContain("Connection: close");
  expect((await door.send("GET", "/bkt/k")).status).toBe(404);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
