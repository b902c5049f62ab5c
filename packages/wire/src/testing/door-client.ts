import { CALLER_HEADER } from "./believing-gate.ts";

/**
 * Asks the door on `port` of this machine, which a `believingGate` guards. A caller is `root`, a name, the JSON of a
 * grant, or empty for nobody. A redirect is an answer like any other.
 */
export class DoorClient {
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  ask(path: string, init: RequestInit = {}, caller = "root"): Promise<Response> {
    const headers = new Headers(init.headers);
    if (caller !== "") headers.set(CALLER_HEADER, caller);
    return fetch(`http://127.0.0.1:${this.port}${path}`, { ...init, headers, redirect: "manual" });
  }

  async status(path: string, init?: RequestInit, caller?: string): Promise<number> {
    const response = await this.ask(path, init, caller);
    await response.arrayBuffer();
    return response.status;
  }

  async text(path: string, init?: RequestInit): Promise<string> {
    return (await this.ask(path, init)).text();
  }

  async json(path: string, init?: RequestInit, caller?: string): Promise<[number, unknown]> {
    const response = await this.ask(path, init, caller);
    return [response.status, await response.json()];
  }
}
