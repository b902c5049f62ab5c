import { expect, test } from "bun:test";
import { openDatabase } from "@kelp/base/platform";
import { type Lineage, LineageError, artifactLineageMessage, openLineage } from "./index.ts";

function open(): Lineage {
  return openLineage(openDatabase(":memory:"));
}

function record(lineage: Lineage, uri: string, metadata: Record<string, unknown> = {}): number {
  return lineage.recordArtifact({
    name: "data",
    type: "system.Dataset",
    uri,
    metadata,
    createdMs: 5,
    runId: "r1",
  });
}

function execution(lineage: Lineage, taskId: string, runId: string): void {
  lineage.recordExecution({
    taskId,
    runId,
    runName: `run ${runId}`,
    taskName: taskId,
    state: "RUNNING",
  });
}

test("an artifact knows its producer and its consumers in order of time", () => {
  const lineage = open();
  const artifactId = record(lineage, "s3://b/x");
  for (const [taskId, runId] of [
    ["make", "r1"],
    ["use2", "r2"],
    ["use1", "r1"],
  ] as const)
    execution(lineage, taskId, runId);
  lineage.recordUse({ artifactId, taskId: "make", direction: "produced", name: "out", atMs: 1 });
  lineage.recordUse({ artifactId, taskId: "use2", direction: "consumed", name: "in", atMs: 3 });
  lineage.recordUse({ artifactId, taskId: "use1", direction: "consumed", name: "in", atMs: 2 });
  const found = lineage.getLineage(artifactId);
  expect(found?.producer?.taskId).toBe("make");
  expect(found?.consumers.map((use) => use.taskId)).toEqual(["use1", "use2"]);
  if (found !== undefined)
    expect(artifactLineageMessage(found).consumers[0]?.run_name).toBe("run r1");
});

test("a later producer does not take an artifact over", () => {
  const lineage = open();
  const artifactId = record(lineage, "s3://b/x");
  execution(lineage, "first", "r1");
  execution(lineage, "cached", "r2");
  lineage.recordUse({ artifactId, taskId: "first", direction: "produced", name: "out", atMs: 1 });
  lineage.recordUse({ artifactId, taskId: "cached", direction: "produced", name: "out", atMs: 9 });
  expect(lineage.getLineage(artifactId)?.producer?.taskId).toBe("first");
});

test("the same URI, type and metadata are found, other metadata is not", () => {
  const lineage = open();
  const artifactId = record(lineage, "s3://b/x", { b: 1, a: 2 });
  const wanted = { uri: "s3://b/x", type: "system.Dataset" };
  expect(lineage.findArtifact({ ...wanted, metadata: { a: 2, b: 1 } })?.artifactId).toBe(
    artifactId,
  );
  expect(lineage.findArtifact({ ...wanted, metadata: {} })).toBeUndefined();
});

test("pages go from the newest on and cover everything once", () => {
  const lineage = open();
  const ids = ["a", "b", "c"].map((key) => record(lineage, `s3://b/${key}`));
  const first = lineage.listArtifacts({ pageSize: 2 });
  expect(first.artifacts.map((artifact) => artifact.artifactId)).toEqual(ids.slice(1).toReversed());
  expect(first.totalSize).toBe(3);
  const second = lineage.listArtifacts({
    pageSize: 2,
    ...(first.next === undefined ? {} : { after: first.next }),
  });
  expect(second.artifacts.map((artifact) => artifact.artifactId)).toEqual(ids.slice(0, 1));
  expect(second.next).toBeUndefined();
});

test("a run lists what its tasks made or used, and is forgotten without its artifacts", () => {
  const lineage = open();
  const used = record(lineage, "s3://b/used");
  record(lineage, "s3://b/other");
  execution(lineage, "use", "r2");
  lineage.recordUse({
    artifactId: used,
    taskId: "use",
    direction: "consumed",
    name: "in",
    atMs: 1,
  });
  const list = (): readonly number[] =>
    lineage
      .listArtifacts({ runId: "r2", pageSize: 10 })
      .artifacts.map((artifact) => artifact.artifactId);
  expect(list()).toEqual([used]);
  lineage.forgetRun("r2");
  expect(list()).toEqual([]);
  expect(lineage.getArtifact(used)).toBeDefined();
});

test("page sizes outside the limits are refused", () => {
  for (const pageSize of [0, 201, 1.5]) {
    expect(() => open().listArtifacts({ pageSize })).toThrow(LineageError);
  }
});
