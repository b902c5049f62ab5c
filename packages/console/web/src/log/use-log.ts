import { useEffect, useState, useSyncExternalStore } from "react";
import { followLog } from "../api/run-graph.ts";
import { LogBuffer, type LogSnapshot } from "./log-buffer.ts";

const perFrame = (run: () => void): void => {
  requestAnimationFrame(run);
};

/** A step's log, read live while this is shown. */
export function useLog(runId: string, taskId: string): LogSnapshot {
  const [buffer, setBuffer] = useState(() => new LogBuffer(perFrame));
  useEffect(() => {
    const own = new LogBuffer(perFrame);
    const controller = new AbortController();
    setBuffer(own);
    fill(own, { runId, taskId }, controller.signal).then(
      () => own.end({ kind: "ended" }),
      (error: unknown) => own.end({ kind: "failed", error }),
    );
    return () => controller.abort();
  }, [runId, taskId]);
  return useSyncExternalStore(buffer.subscribe, buffer.snapshot);
}

async function fill(
  buffer: LogBuffer,
  step: { readonly runId: string; readonly taskId: string },
  signal: AbortSignal,
): Promise<void> {
  for await (const piece of followLog(step, signal)) buffer.append(piece);
}
