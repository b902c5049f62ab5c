import { expect, test } from "bun:test";
import { countLine, outcomeOfTests } from "./outcome.ts";

const REPORT = `<testsuites><testsuite name="a.test.ts">
<testcase name="works &amp; holds" file="a.test.ts" />
<testcase name="breaks" file="a.test.ts"><failure type="AssertionError">expected</failure></testcase>
<testcase name="waits" file="a.test.ts">
  <skipped />
</testcase>
<testcase name="later" file="a.test.ts"><skipped message="TODO" /></testcase>
</testsuite></testsuites>`;

test("counts what passed, failed and was skipped", () => {
  const outcome = outcomeOfTests({
    reportXml: REPORT,
    output: "",
    status: 1,
    isSkipAllowed: true,
  });
  expect(outcome).toEqual({
    passedCount: 1,
    failures: ["a.test.ts: breaks"],
    skipped: ["a.test.ts: waits", "a.test.ts: later"],
  });
  expect(countLine(outcome)).toBe("1 passed, 1 failed");
});

test("in CI a skipped test has failed", () => {
  const outcome = outcomeOfTests({
    reportXml: REPORT,
    output: "",
    status: 1,
    isSkipAllowed: false,
  });
  expect(countLine(outcome)).toBe("1 passed, 3 failed");
});

test("a file that could not be loaded is a failure although the report does not know it", () => {
  const outcome = outcomeOfTests({
    reportXml: "<testsuites></testsuites>",
    output: "\n 0 pass\n 2 fail\n 2 errors\nRan 2 tests\n",
    status: 1,
    isSkipAllowed: true,
  });
  expect(countLine(outcome)).toBe("0 passed, 2 failed");
});

test("a runner that crashed without a report has failed", () => {
  const outcome = outcomeOfTests({
    reportXml: undefined,
    output: "",
    status: 139,
    isSkipAllowed: true,
  });
  expect(outcome.failures).toEqual(["the test runner ended with status 139"]);
});
