import { type Socket, type TCPSocketListener, listen as listenSocket } from "bun";
import type { TcpConnection, TcpEvents, TcpListener, TcpNetwork } from "../net/tcp.ts";

/** TCP by the runtime's plain sockets: each `data` comes in memory of its own, and a write says how much the kernel took. */
export const systemTcpNetwork: TcpNetwork = {
  async listen({ address, port, sharing }, accept) {
    const listener = listenSocket<SocketConnection>({
      hostname: address,
      port,
      // Whoever half-closes may still be waiting for an answer.
      allowHalfOpen: true,
      ...(sharing === "alone" ? { exclusive: true } : { reusePort: true }),
      socket: {
        ...SOCKET_EVENTS,
        open(socket) {
          const connection = new SocketConnection(socket);
          socket.data = connection;
          guarded(socket, () => {
            connection.events = accept(connection);
          });
        },
      },
    });
    return new SocketListener(listener);
  },
};

class SocketListener implements TcpListener {
  readonly port: number;
  #listener: TCPSocketListener<SocketConnection> | undefined;

  constructor(listener: TCPSocketListener<SocketConnection>) {
    this.port = listener.port;
    this.#listener = listener;
  }

  close(): void {
    this.#listener?.stop();
    this.#listener = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

/** What the runtime tells of a socket goes to its connection. */
const SOCKET_EVENTS = {
  data: (socket: Socket<SocketConnection>, bytes: Buffer) =>
    guarded(socket, () => socket.data.events?.data(bytes)),
  drain: (socket: Socket<SocketConnection>) => guarded(socket, () => socket.data.events?.drained()),
  end: (socket: Socket<SocketConnection>) => guarded(socket, () => socket.data.events?.ended()),
  // What went wrong is the connection, and its close says so.
  error: (socket: Socket<SocketConnection>) => socket.terminate(),
  close: (socket: Socket<SocketConnection>) => {
    const { events } = socket.data;
    socket.data.events = undefined;
    guarded(socket, () => events?.closed());
  },
};

/** A failure of our own must not end as a broken connection alone: it is a bug, and ends as one. */
function guarded(socket: Socket<SocketConnection>, run: () => void): void {
  try {
    run();
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
    socket.terminate();
  }
}

class SocketConnection implements TcpConnection {
  readonly isEncrypted = false;
  events: TcpEvents | undefined;
  readonly #socket: Socket<SocketConnection>;
  #isPaused = false;

  constructor(socket: Socket<SocketConnection>) {
    this.#socket = socket;
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number {
    return this.#socket.remotePort;
  }

  get localAddress(): string {
    return this.#socket.localAddress;
  }

  get localPort(): number {
    return this.#socket.localPort;
  }

  write(bytes: Uint8Array): number {
    return Math.max(0, this.#socket.write(bytes));
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  finish(): void {
    this.#socket.shutdown();
  }

  destroy(): void {
    this.#socket.close();
  }

  reset(): void {
    this.#socket.terminate();
  }
}
