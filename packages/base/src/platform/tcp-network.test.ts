import { expect, test } from "bun:test";
import { type Socket, connect } from "node:net";
import type { PortSharing, TcpConnection, TcpListener } from "../net/tcp.ts";
import { systemTcpNetwork } from "./tcp-network.ts";

const ADDRESS = "127.0.0.1";

/** What happened to the connections of a listener, in order. */
class World implements AsyncDisposable {
  readonly events: string[] = [];
  readonly received: Uint8Array[] = [];
  readonly #opened = new AsyncDisposableStack();
  #waiting: (() => void) | undefined;
  connection: TcpConnection | undefined;
  port = 0;

  async listen(sharing: PortSharing = "alone", port = 0): Promise<TcpListener> {
    const listener = await systemTcpNetwork.listen(
      { address: ADDRESS, port, sharing },
      (connection) => {
        this.connection = connection;
        this.#note("opened");
        return {
          data: (bytes) => {
            this.received.push(bytes);
            this.#note("data");
          },
          drained: () => this.#note("drained"),
          ended: () => this.#note("ended"),
          closed: () => this.#note("closed"),
        };
      },
    );
    this.port = listener.port;
    return this.#opened.use(listener);
  }

  connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: ADDRESS, port: this.port, allowHalfOpen: true });
      this.#opened.defer(() => void socket.destroy());
      socket.once("error", reject).once("connect", () => {
        socket.off("error", reject).on("error", () => undefined);
        resolve(socket);
      });
    });
  }

  /** Resolves when something has happened so often. */
  async until(event: string, count = 1): Promise<void> {
    while (this.events.filter((each) => each === event).length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  async accepted(): Promise<TcpConnection> {
    await this.until("opened");
    if (this.connection === undefined) throw new Error("nobody came");
    return this.connection;
  }

  #note(event: string): void {
    this.events.push(event);
    this.#waiting?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection?.destroy();
    await this.#opened.disposeAsync();
  }
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "no failure",
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : "another"),
  );
}

/** Everything that comes until the other side ends, or resets. */
function readAll(socket: Socket): Promise<{ readonly bytes: Buffer; readonly how: string }> {
  const pieces: Buffer[] = [];
  return new Promise((resolve) => {
    const finish = (how: string) => () => resolve({ bytes: Buffer.concat(pieces), how });
    socket.on("data", (piece: Buffer) => pieces.push(piece));
    socket.on("end", finish("ended")).on("error", finish("reset"));
  });
}

test("a port that somebody holds is not had, whether either would share it or not", async () => {
  await using alone = new World();
  await alone.listen("alone");
  await using shared = new World();
  await shared.listen("shared");
  await using late = new World();
  expect(await codeOf(late.listen("alone", alone.port))).toBe("EADDRINUSE");
  expect(await codeOf(late.listen("shared", alone.port))).toBe("EADDRINUSE");
  expect(await codeOf(late.listen("alone", shared.port))).toBe("EADDRINUSE");
  expect(await codeOf(late.listen("shared", shared.port))).toBe("no failure");
});

test("a closed listener takes nobody and gives its port back; open connections stay", async () => {
  await using world = new World();
  const listener = await world.listen();
  const socket = await world.connect();
  const connection = await world.accepted();
  listener.close();
  listener.close();
  await using other = new World();
  await other.listen("alone", world.port);
  connection.write(Buffer.from("still here"));
  connection.finish();
  expect((await readAll(socket)).bytes.toString()).toBe("still here");
});

test("an address that this machine does not have is an error", async () => {
  const place = { address: "192.0.2.1", port: 0, sharing: "alone" } as const;
  const listening = systemTcpNetwork.listen(place, () => {
    throw new Error("nobody can come");
  });
  expect(await codeOf(listening)).toBe("EADDRNOTAVAIL");
});

test("received bytes are their receiver's own: later ones do not overwrite them", async () => {
  await using world = new World();
  await world.listen();
  const socket = await world.connect();
  for (let round = 0; round < 20; round++) {
    const before = world.received.length;
    socket.write(Buffer.alloc(1000, round));
    await world.until("data", before + 1);
  }
  const all = Buffer.concat(world.received);
  expect(Buffer.compare(all, Buffer.from(all.map((_, at) => Math.floor(at / 1000))))).toBe(0);
  for (const { buffer, byteOffset, length } of world.received) {
    expect([byteOffset, length]).toEqual([0, buffer.byteLength]);
  }
});

test("a write says how much was taken, and what follows is taken when the reader has made room", async () => {
  await using world = new World();
  await world.listen();
  const socket = await world.connect();
  socket.pause();
  const connection = await world.accepted();
  const content = Buffer.from(Array.from({ length: 1 << 16 }, (_, at) => (at * 31) % 251));
  const bytes = Buffer.concat(Array.from({ length: 512 }, () => content));
  let taken = 0;
  for (let more = -1; more !== 0; taken += more) more = connection.write(bytes.subarray(taken));
  expect(taken).toBeLessThan(bytes.length);
  const received = readAll(socket);
  socket.resume();
  while (taken < bytes.length) {
    const drains = world.events.filter((event) => event === "drained").length;
    const more = connection.write(bytes.subarray(taken));
    taken += more;
    if (more === 0) await world.until("drained", drains + 1);
  }
  connection.finish();
  const { bytes: all } = await received;
  expect(Buffer.compare(all, bytes)).toBe(0);
});

test("either side can end first, and the other still be heard", async () => {
  await using world = new World();
  await world.listen();
  const socket = await world.connect();
  const connection = await world.accepted();
  socket.end("question");
  await world.until("ended");
  connection.write(Buffer.from("answer"));
  const read = readAll(socket);
  connection.finish();
  expect((await read).bytes.toString()).toBe("answer");
  await world.until("closed");
  expect(connection.write(Buffer.from("late"))).toBe(0);
  expect(world.events.filter((event) => event !== "drained")).toEqual([
    "opened",
    "data",
    "ended",
    "closed",
  ]);
});

test("a destroyed connection is read to its end, a reset one is not taken for whole", async () => {
  for (const [how, expected] of [
    ["destroy", "ended"],
    ["reset", "reset"],
  ] as const) {
    await using world = new World();
    await world.listen();
    const socket = await world.connect();
    const connection = await world.accepted();
    const read = readAll(socket);
    connection.write(Buffer.from("the beginning"));
    connection[how]();
    connection[how]();
    expect((await read).how).toBe(expected);
    await world.until("closed");
    expect(world.events.filter((event) => event === "closed").length).toBe(1);
  }
});

test("a paused connection gets nothing until it is resumed", async () => {
  await using world = new World();
  await world.listen();
  const socket = await world.connect();
  const connection = await world.accepted();
  connection.pause();
  connection.pause();
  socket.write("early");
  // A round trip over another connection is longer than the way of these bytes.
  await using other = new World();
  await other.listen();
  (await other.connect()).write("x");
  await other.until("data");
  expect(world.received).toEqual([]);
  connection.resume();
  await world.until("data");
  expect(Buffer.concat(world.received).toString()).toBe("early");
});

test("both ends have their addresses", async () => {
  await using world = new World();
  await world.listen();
  const socket = await world.connect();
  const { remoteAddress, remotePort, localAddress, localPort } = await world.accepted();
  expect([remoteAddress, remotePort]).toEqual([ADDRESS, socket.localPort ?? 0]);
  expect([localAddress, localPort]).toEqual([ADDRESS, world.port]);
});
