import { must } from "@kelp/base";

interface Version<State> {
  readonly state: State;
  /** What else a cut may leave while it is on its way. */
  readonly others: readonly State[];
  readonly what: string;
  readonly startMoment: number;
  /** Absent: never answered. */
  endMoment: number | undefined;
}

/**
 * The states of one worker's part of the store, with the moments of the disk at which each was asked for and acknowledged. After a cut the
 * part must be in the newest acknowledged state, or in the one that was on its way.
 */
export class History<State> {
  readonly #versions: Version<State>[];
  readonly #refused: { readonly start: number; readonly end: number }[] = [];

  /** `start` is acknowledged from the beginning. */
  constructor(start: State) {
    this.#versions = [{ state: start, others: [], what: "start", startMoment: 0, endMoment: 0 }];
  }

  get newest(): State {
    return must(this.#versions.at(-1)).state;
  }

  /** `others`: states that several operations at once go through, or may end in. */
  begin(what: string, state: State, moment: number, others: readonly State[] = []): void {
    this.#versions.push({ state, others, what, startMoment: moment, endMoment: undefined });
  }

  acknowledge(moment: number): void {
    must(this.#versions.at(-1)).endMoment = moment;
  }

  /** The operation was refused: nothing of it may ever be seen, though its chunks may have been on their way. */
  refuse(moment: number): void {
    const { startMoment } = must(this.#versions.pop());
    this.#refused.push({ start: startMoment, end: moment });
  }

  /** Whether an operation was on its way, whatever became of it. */
  isRunning(moment: number): boolean {
    return (
      this.allowed(moment).running !== undefined ||
      this.#refused.some(({ start, end }) => start < moment && moment < end)
    );
  }

  /** Ends the newest operation with another state than was expected of it. */
  settle(state: State, moment: number): void {
    const { what, others, startMoment } = must(this.#versions.pop());
    this.#versions.push({ state, others, what, startMoment, endMoment: moment });
  }

  /** The states that a cut at `moment` may leave, and what was on its way. */
  allowed(moment: number): { readonly states: readonly State[]; readonly running?: string } {
    let acknowledged = must(this.#versions[0]);
    let running: Version<State> | undefined;
    for (const version of this.#versions.slice(1)) {
      if (version.startMoment >= moment) break;
      if (version.endMoment !== undefined && version.endMoment <= moment) acknowledged = version;
      else running = version;
    }
    if (running === undefined) return { states: [acknowledged.state] };
    const states = [acknowledged.state, running.state, ...running.others];
    return { states, running: running.what };
  }
}
