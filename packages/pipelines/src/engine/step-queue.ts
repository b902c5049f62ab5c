/**
 * Steps that wait for a free place, taken in turn from each run, so that a wide run does not hold up a narrow one.
 * Its length is bounded by the rows of the runs in memory (`RUNS_ACTIVE_MAX`).
 */
export class StepQueue<Step> {
  readonly #byRun = new Map<string, Step[]>();

  push(runId: string, step: Step): void {
    const waiting = this.#byRun.get(runId);
    if (waiting === undefined) this.#byRun.set(runId, [step]);
    else waiting.push(step);
  }

  /** The next step; its run goes to the end of the line. */
  take(): Step | undefined {
    for (const [runId, waiting] of this.#byRun) {
      const step = waiting.shift();
      this.#byRun.delete(runId);
      if (waiting.length > 0) this.#byRun.set(runId, waiting);
      if (step !== undefined) return step;
    }
    return undefined;
  }

  drop(runId: string): void {
    this.#byRun.delete(runId);
  }
}
