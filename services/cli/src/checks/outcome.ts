import { type TestReport, countLoadErrors, parseJunit } from "./junit.ts";

export interface Outcome {
  readonly passedCount: number;
  /** One line per failure. */
  readonly failures: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * What a run of the test runner amounts to. Where nothing may be skipped (CI), what was skipped has failed. An exit
 * status that the report does not explain is a failure of its own, so that a crash never looks like success.
 */
export function outcomeOfTests(run: {
  readonly reportXml: string | undefined;
  readonly output: string;
  readonly status: number;
  readonly isSkipAllowed: boolean;
}): Outcome {
  const report: TestReport =
    run.reportXml === undefined
      ? { passedCount: 0, failed: [], skipped: [] }
      : parseJunit(run.reportXml);
  const failures = [...report.failed];
  const loadErrorCount = countLoadErrors(run.output);
  for (let index = 0; index < loadErrorCount; index++) {
    failures.push("an error outside of any test (see above)");
  }
  if (run.status !== 0 && failures.length === 0) {
    failures.push(`the test runner ended with status ${run.status}`);
  }
  if (!run.isSkipAllowed) {
    failures.push(...report.skipped.map((title) => `${title} (skipped, which CI does not allow)`));
  }
  return {
    passedCount: report.passedCount,
    failures,
    skipped: run.isSkipAllowed ? report.skipped : [],
  };
}

/** The last line of `kelp test`. */
export function countLine(outcome: Outcome): string {
  return `${outcome.passedCount} passed, ${outcome.failures.length} failed`;
}
