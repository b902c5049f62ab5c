import { useReactFlow, useStore } from "@xyflow/react";
import { type RefObject, useEffect } from "react";
import type { Placement } from "./layout.ts";

/** Brings the whole graph into sight as it or its pane changes, until a person moves it. */
export function FitOnChange(props: {
  readonly placements: ReadonlyMap<string, Placement>;
  readonly isHeld: RefObject<boolean>;
}) {
  const { placements, isHeld } = props;
  const { fitView } = useReactFlow();
  const paneSize = useStore((state) => `${state.width}x${state.height}`);
  useEffect(() => {
    if (placements.size === 0 || isHeld.current) return undefined;
    const frame = requestAnimationFrame(() => {
      fitView({ padding: 0.12, maxZoom: 1, duration: 150 }).catch(() => undefined);
    });
    return () => cancelAnimationFrame(frame);
  }, [placements, paneSize, isHeld, fitView]);
  return null;
}
