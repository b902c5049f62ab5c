import { useEffect, useRef, useState } from "react";
import type { LayoutBox, Placement } from "./layout.ts";
import type { LayoutAnswer, LayoutRequest } from "./layout.worker.ts";

/** Placements for `boxes`; those of the boxes before while new ones are computed. `undefined` at first. */
export function useLayout(boxes: readonly LayoutBox[]): ReadonlyMap<string, Placement> | undefined {
  const [placements, setPlacements] = useState<ReadonlyMap<string, Placement>>();
  const worker = useRef<Worker>(undefined);
  const sequence = useRef(0);
  useEffect(() => {
    const own = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    own.addEventListener("message", (event: MessageEvent<LayoutAnswer>) => {
      // Only the latest question counts.
      if (event.data.sequence === sequence.current) setPlacements(event.data.placements);
    });
    worker.current = own;
    return () => own.terminate();
  }, []);
  // States change every second, the shape seldom: equal shapes are placed once.
  const shape = JSON.stringify(boxes);
  useEffect(() => {
    sequence.current += 1;
    const request: LayoutRequest = {
      sequence: sequence.current,
      boxes: JSON.parse(shape) as readonly LayoutBox[],
    };
    worker.current?.postMessage(request);
  }, [shape]);
  return placements;
}
