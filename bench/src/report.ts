import type { Measurement } from "./load.ts";

/** One suite's results as they are kept. */
export interface ResultFile {
  readonly suite: string;
  readonly date: string;
  readonly machine: string;
  readonly version: string;
  readonly measurements: readonly Measurement[];
}

/** The tables of `bench/README.md`. */
export function resultTables(results: readonly ResultFile[]): string {
  return results
    .map((result) =>
      [
        `### ${result.suite}`,
        "",
        `${result.date.slice(0, 10)}, Kelp ${result.version}, ${result.machine}`,
        "",
        "| What | Clients | Rate /s | p50 ms | p99 ms | max ms | Server CPU µs each | Server memory MB | MB/s |",
        "|---|---|---|---|---|---|---|---|---|",
        ...result.measurements.map(row),
      ].join("\n"),
    )
    .join("\n\n");
}

function row(line: Measurement): string {
  const cells = [
    line.name,
    String(line.clients),
    figure(line.ratePerSec),
    figure(line.latencyMsP50),
    figure(line.latencyMsP99),
    // Results from before this was kept do not have it.
    line.latencyMsMax === undefined ? "" : figure(line.latencyMsMax),
    figure(line.serverCpuUsPerOperation),
    figure(line.serverRssBytes / 1_000_000),
    line.throughputMbPerSec === undefined ? "" : figure(line.throughputMbPerSec),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Three figures are all that a noisy machine can tell. */
function figure(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return rounded >= 1000 ? rounded.toLocaleString("en-US") : String(rounded);
}
