import { expect, test } from "bun:test";
import { PieceReceiver, PieceSender, SENT_BUFFERS_MAX } from "./shared-pieces.ts";

function shared(value: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(8)).fill(value);
}

function memoryOf(sender: PieceSender, bytes: Uint8Array): SharedArrayBuffer | undefined {
  const piece = sender.send(bytes);
  return piece.kind === "shared" ? piece.memory : undefined;
}

test("a buffer is sent with its first piece, and its others tell where they lie", () => {
  const sender = new PieceSender();
  const receiver = new PieceReceiver();
  const bytes = shared(1);
  bytes.set([5, 6, 7], 3);
  const first = sender.send(bytes.subarray(0, 3));
  const second = sender.send(bytes.subarray(3, 6));
  expect(first).toMatchObject({ memory: bytes.buffer });
  expect(second).toMatchObject({ memory: undefined });
  expect([...receiver.receive(first)]).toEqual([1, 1, 1]);
  expect([...receiver.receive(second)]).toEqual([5, 6, 7]);
  bytes[4] = 9;
  expect([...receiver.receive(sender.send(bytes.subarray(4, 5)))]).toEqual([9]);
});

test("more buffers than there are places are each received as they were sent", () => {
  const sender = new PieceSender();
  const receiver = new PieceReceiver();
  const buffers = Array.from({ length: 2 * SENT_BUFFERS_MAX + 3 }, (_, index) => shared(index));
  for (const [index, bytes] of [...buffers, ...buffers].entries()) {
    const got = receiver.receive(sender.send(bytes.subarray(0, 1)));
    expect([...got]).toEqual([index % buffers.length]);
  }
});

test("what was sent together is understood although a later buffer takes an earlier one's place", () => {
  const sender = new PieceSender();
  const receiver = new PieceReceiver();
  const buffers = Array.from({ length: SENT_BUFFERS_MAX }, (_, index) => shared(index));
  for (const bytes of buffers) receiver.receive(sender.send(bytes));
  const [oldest = shared(0)] = buffers;
  const batch = [oldest, shared(99), oldest].map((bytes) => sender.send(bytes.subarray(0, 1)));
  expect(batch.map((piece) => receiver.receive(piece)[0])).toEqual([0, 99, 0]);
});

test("a buffer whose place was taken is sent again", () => {
  const sender = new PieceSender();
  const first = shared(1);
  expect(memoryOf(sender, first)).toBe(first.buffer as SharedArrayBuffer);
  for (let index = 0; index < SENT_BUFFERS_MAX; index++) sender.send(shared(index));
  expect(memoryOf(sender, first)).toBe(first.buffer as SharedArrayBuffer);
});

test("bytes that are not shared go themselves", () => {
  const bytes = new Uint8Array([1, 2]);
  const piece = new PieceSender().send(bytes);
  expect(new PieceReceiver().receive(piece)).toBe(bytes);
});

test("what both sides forgot is sent again, and lies at no place any more", () => {
  const sender = new PieceSender();
  const receiver = new PieceReceiver();
  const [first, second] = [shared(1), shared(2)];
  const known = sender.send(first);
  receiver.receive(known);
  receiver.receive(sender.send(second));
  sender.forget();
  receiver.forget();
  expect(() => receiver.receive({ ...known, memory: undefined } as typeof known)).toThrow();
  expect([...receiver.receive(sender.send(second))]).toEqual([...second]);
  expect(memoryOf(sender, first)).toBe(first.buffer as SharedArrayBuffer);
});
