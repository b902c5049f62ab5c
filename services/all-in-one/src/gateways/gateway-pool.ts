import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type CallHandlers,
  type CallPeer,
  type Clock,
  type Log,
  type Service,
  assert,
} from "@kelp/base";
import { systemCallNetwork } from "@kelp/base/platform";
import type { Borrower } from "@kelp/volume";
import { BoundedPeer } from "./bounded-peer.ts";
import {
  DRAIN_CALL,
  type DoorFailure,
  FAILED_CALL,
  type GatewaySetup,
  HELLO_CALL,
  IDENTITIES_CALL,
  READY_CALL,
  SOCKET_VARIABLE,
} from "./gateway-calls.ts";
import { REPLACE_PAUSE_MS, REPLACE_PAUSE_MS_MAX, START_MS_MAX, STEADY_MS } from "./limits.ts";

export interface GatewayPoolOptions {
  readonly count: number;
  /** How a gateway is started: a program of this runtime, and its arguments. */
  readonly command: { readonly file: string; readonly args: readonly string[] };
  /** Path of the socket that gateways call this process through. */
  readonly socket: string;
  readonly setup: () => GatewaySetup;
  /** What this process does for a gateway. */
  readonly serve: (gateway: Borrower) => CallHandlers;
  /** Called when a gateway has ended by itself, or was killed because it did not answer; what it has on loan is not back yet. */
  readonly onDied: (gateway: Borrower) => void;
  /** Called before the first gateway can say hello. */
  readonly onStarted: (pool: GatewayPool) => void;
  readonly clock: Clock;
  readonly log: Log;
}

interface Gateway {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly startedMs: number;
  /** Before its successor starts, unless it served long. Each place has its own: four that are killed at once all come back at once. */
  readonly pauseMs: number;
  readonly ended: Promise<void>;
  readonly ready: PromiseWithResolvers<void>;
  /** As it was presented to who serves it. */
  borrower: Borrower | undefined;
  peer: CallPeer | undefined;
}

/** Longer addresses of sockets are cut off by the system. */
const SOCKET_PATH_BYTES_MAX = 100;
/** Left of the time to drain for giving volumes back. */
const DRAIN_MS = 7_000;

/**
 * The gateway processes. One that ends is replaced, after a pause that grows while they end early; one that does not answer is killed.
 * Closed, it has none.
 */
export class GatewayPool implements Service {
  readonly #options: GatewayPoolOptions;
  readonly #gateways = new Map<number, Gateway>();
  readonly #opened = new AsyncDisposableStack();
  #address = "";
  #isEnding = false;

  /** Starts all gateways; resolves when each door answers. Rejects with why one does not. */
  static async open(options: GatewayPoolOptions): Promise<GatewayPool> {
    const pool = new GatewayPool(options);
    options.onStarted(pool);
    try {
      await pool.#open();
    } catch (error) {
      await pool.stop();
      throw error;
    }
    return pool;
  }

  private constructor(options: GatewayPoolOptions) {
    this.#options = options;
  }

  /** Those that can be asked. One that started and has not said hello holds nothing yet. */
  peers(): readonly CallPeer[] {
    return [...this.#gateways.values()].flatMap(({ peer }) => (peer === undefined ? [] : [peer]));
  }

  pids(): readonly number[] {
    return [...this.#gateways.keys()];
  }

  /** Resolves when no gateway goes by what identities were before: each has read them anew, or has ended. */
  async identitiesChanged(): Promise<void> {
    await Promise.all(
      [...this.#gateways.values()].map(async (gateway) => {
        // Without a peer it has read nothing yet.
        if (gateway.peer === undefined) return;
        try {
          await gateway.ready.promise;
          await gateway.peer.call(IDENTITIES_CALL, undefined);
        } catch (error) {
          this.#options.log.error("A gateway is ended: it did not take over a change of keys", {
            pid: gateway.child.pid,
            error,
          });
          gateway.child.kill("SIGKILL");
          await gateway.ended;
        }
      }),
    );
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#isEnding = true;
    const drained = Promise.allSettled(this.peers().map((peer) => peer.call(DRAIN_CALL, DRAIN_MS)));
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([drained, aborted]);
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    // What is left of them is taken back as after a crash; drained ones have given everything back.
    await Promise.all(
      Array.from(this.#gateways.values(), async ({ child, ended }) => {
        child.kill("SIGKILL");
        await ended;
      }),
    );
    await this.#opened.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #open(): Promise<void> {
    const { socket, count } = this.#options;
    this.#address = this.#socketPath(socket);
    this.#opened.use(await systemCallNetwork.listen(this.#address, (peer) => this.#accept(peer)));
    const gateways = Array.from({ length: count }, () => this.#start(REPLACE_PAUSE_MS));
    await Promise.all(gateways.map(({ ready }) => ready.promise));
  }

  #socketPath(wanted: string): string {
    if (Buffer.byteLength(wanted) <= SOCKET_PATH_BYTES_MAX) return wanted;
    const folder = mkdtempSync(join(tmpdir(), "kelp-"));
    this.#opened.defer(() => rmSync(folder, { recursive: true, force: true }));
    const short = join(folder, "gateways.sock");
    assert(dirname(short) === folder, "the socket stands in its folder");
    return short;
  }

  #start(pauseMs: number): Gateway {
    const { command, clock, log } = this.#options;
    // They say what they have to say through their log, which is the server's own output.
    const child = spawn(process.execPath, [command.file, ...command.args], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, [SOCKET_VARIABLE]: this.#address },
    });
    const { pid } = child;
    assert(pid !== undefined, "a process has an id");
    const ended = Promise.withResolvers<void>();
    const gateway: Gateway = {
      pid,
      child,
      startedMs: clock.monotonicMs(),
      pauseMs,
      ended: ended.promise,
      ready: Promise.withResolvers(),
      borrower: undefined,
      peer: undefined,
    };
    // Whoever waits for it is told; of a replacement the log tells.
    gateway.ready.promise.catch(() => undefined);
    this.#gateways.set(pid, gateway);
    const timer = clock.schedule(START_MS_MAX, () => child.kill("SIGKILL"));
    gateway.ready.promise.then(
      () => timer.cancel(),
      () => timer.cancel(),
    );
    child.once("exit", (code, signal) => {
      this.#gateways.delete(pid);
      gateway.ready.reject(new Error("a gateway ended before its door answered"));
      if (!this.#isEnding && gateway.borrower !== undefined) this.#options.onDied(gateway.borrower);
      ended.resolve();
      if (this.#isEnding) return;
      log.error("A gateway ended and is replaced", { pid, code, signal });
      this.#replace(gateway);
    });
    return gateway;
  }

  #replace(earlier: Gateway): void {
    const { clock } = this.#options;
    const wasSteady = clock.monotonicMs() - earlier.startedMs >= STEADY_MS;
    const pauseMs = wasSteady ? REPLACE_PAUSE_MS : earlier.pauseMs;
    const timer = clock.schedule(pauseMs, () => {
      if (!this.#isEnding) this.#start(Math.min(pauseMs * 2, REPLACE_PAUSE_MS_MAX));
    });
    this.#opened.defer(() => timer.cancel());
  }

  /** Who calls is known by its process: only those that this process started are answered. */
  #accept(peer: CallPeer): CallHandlers {
    let known: Gateway | undefined;
    const handlers: Record<string, (argument: unknown) => unknown> = {};
    handlers[HELLO_CALL] = (pid) => {
      const gateway = this.#gateways.get(pid as number);
      if (gateway === undefined || gateway.peer !== undefined || known !== undefined) {
        throw new Error("Cannot serve a process that is no gateway");
      }
      known = gateway;
      const bounded = new BoundedPeer(peer, this.#options.clock, (name) => {
        this.#options.log.error("A gateway is ended: it does not answer", { pid, call: name });
        gateway.child.kill("SIGKILL");
      });
      gateway.peer = bounded;
      peer.closed.then(
        () => gateway.child.kill("SIGKILL"),
        () => gateway.child.kill("SIGKILL"),
      );
      gateway.borrower = { name: `gateway ${known.pid}`, peer: bounded, ended: gateway.ended };
      Object.assign(handlers, this.#options.serve(gateway.borrower));
      handlers[READY_CALL] = () => gateway.ready.resolve();
      handlers[FAILED_CALL] = (failure) => {
        const { code, message } = failure as DoorFailure;
        this.#options.log.error("A gateway cannot open its door", { pid, code, reason: message });
        gateway.ready.reject(Object.assign(new Error(message), { code }));
        gateway.child.kill("SIGKILL");
      };
      return this.#options.setup();
    };
    return handlers;
  }
}
