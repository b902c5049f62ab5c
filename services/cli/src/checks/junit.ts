/** What a JUnit report says, as far as counting goes. */
export interface TestReport {
  readonly passedCount: number;
  readonly failed: readonly string[];
  /** Left out: by a condition, or not yet written. */
  readonly skipped: readonly string[];
}

const CASE = /<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g;

/** Reads the report that Bun's test runner writes. */
export function parseJunit(xml: string): TestReport {
  let passedCount = 0;
  const failed: string[] = [];
  const skipped: string[] = [];
  for (const [, attributes = "", body = ""] of xml.matchAll(CASE)) {
    const title = `${attribute(attributes, "file")}: ${attribute(attributes, "name")}`;
    if (/<(?:failure|error)\b/.test(body)) failed.push(title);
    else if (/<skipped\b/.test(body)) skipped.push(title);
    else passedCount += 1;
  }
  return { passedCount, failed, skipped };
}

/** Files that could not even be loaded stand in Bun's own summary only, as ` 2 errors`. */
export function countLoadErrors(output: string): number {
  const last = [...output.matchAll(/^ (\d+) errors?$/gm)].at(-1);
  return Number(last?.[1] ?? 0);
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
