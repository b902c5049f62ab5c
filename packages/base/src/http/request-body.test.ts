import { expect, test } from "bun:test";
import type { Clock } from "../clock.ts";
import { IncomingBody } from "../http1/index.ts";
import { systemClock } from "../platform/index.ts";
import { Semaphore } from "../semaphore.ts";
import { HttpError } from "./http-error.ts";
import { HELD_CHECKS_MAX, STALL_BYTES_MIN, STALL_CHECKS_MAX } from "./limits.ts";
import { RequestBody } from "./request-body.ts";
import { StallWatch } from "./stall-watch.ts";

const BODY_BYTES = 100 * HELD_CHECKS_MAX * STALL_BYTES_MIN;

/** Bodies whose bytes come, and whose looks are made, when the test says so. */
class World implements Disposable {
  /** Room for one body. */
  readonly budget = new Semaphore(BODY_BYTES);
  #look: (() => void) | undefined;
  readonly #stalls = new StallWatch({
    ...systemClock,
    schedule: (_, run) => {
      this.#look = run;
      return { cancel: () => undefined };
    },
  } satisfies Clock);

  receive(): { readonly whole: Promise<number | string>; send(sizeBytes: number): Promise<void> } {
    const incoming = incomingBody();
    const body = new RequestBody(incoming, this.#stalls);
    const whole = body.whole(BODY_BYTES, this.budget).then(
      (held) => {
        held[Symbol.dispose]();
        return held.bytes.length;
      },
      (error: unknown) => (error instanceof HttpError ? `${error.status}` : String(error)),
    );
    let leftBytes = BODY_BYTES;
    return {
      whole,
      async send(sizeBytes) {
        incoming.push(new Uint8Array(Math.min(sizeBytes, leftBytes)), true);
        leftBytes -= sizeBytes;
        await turn();
      },
    };
  }

  async look(): Promise<void> {
    this.#look?.();
    await turn();
  }

  [Symbol.dispose](): void {
    this.#stalls[Symbol.dispose]();
  }
}

function incomingBody(): IncomingBody {
  const source = { setReading: () => undefined, sendContinue: () => undefined };
  return new IncomingBody({ kind: "length", sizeBytes: BODY_BYTES }, source, false);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("a slow body keeps its share of the budget until somebody waits for it", async () => {
  using world = new World();
  const slow = world.receive();
  for (let look = 0; look < 2 * STALL_CHECKS_MAX; look++) {
    await slow.send(STALL_BYTES_MIN);
    await world.look();
  }
  expect(world.budget.used).toBe(BODY_BYTES);
  const waiting = world.receive();
  await turn();
  expect(world.budget.isWanted).toBe(true);
  for (let look = 0; look < STALL_CHECKS_MAX; look++) {
    await slow.send(STALL_BYTES_MIN);
    await world.look();
  }
  expect(await slow.whole).toBe("408");
  await waiting.send(BODY_BYTES);
  expect(await waiting.whole).toBe(BODY_BYTES);
  expect(world.budget.used).toBe(0);
});

test("a body that comes at the pace of its size is not hurried, and those who wait are served in turn", async () => {
  using world = new World();
  const first = world.receive();
  await turn();
  const others = [world.receive(), world.receive(), world.receive()];
  for (let look = 0; look < HELD_CHECKS_MAX; look++) {
    await first.send(BODY_BYTES / HELD_CHECKS_MAX);
    await world.look();
  }
  expect(await first.whole).toBe(BODY_BYTES);
  for (const other of others) {
    expect(world.budget.used).toBe(BODY_BYTES);
    await other.send(BODY_BYTES);
    expect(await other.whole).toBe(BODY_BYTES);
  }
  expect(world.budget.used).toBe(0);
});

test("a body whose client is gone while it waits gives its place to the next", async () => {
  using world = new World();
  using held = await world.budget.acquire(BODY_BYTES);
  const incoming = incomingBody();
  const stalls = new StallWatch(systemClock);
  const body = new RequestBody(incoming, stalls);
  const gone = body.whole(BODY_BYTES, world.budget).catch((error: HttpError) => error.status);
  const next = world.receive();
  incoming.cut();
  held[Symbol.dispose]();
  expect(await gone).toBe(400);
  await next.send(BODY_BYTES);
  expect(await next.whole).toBe(BODY_BYTES);
});
