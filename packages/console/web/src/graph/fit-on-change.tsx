import { useReactFlow } from "@xyflow/react";
import { type RefObject, useEffect } from "react";

/** Brings the whole graph into sight as it grows, until a person moves it. */
export function FitOnChange(props: {
  readonly signature: number;
  readonly isHeld: RefObject<boolean>;
}) {
  const { signature, isHeld } = props;
  const { fitView } = useReactFlow();
  useEffect(() => {
    if (signature === 0 || isHeld.current) return undefined;
    const frame = requestAnimationFrame(() => {
      fitView({ padding: 0.12, maxZoom: 1, duration: 150 }).catch(() => undefined);
    });
    return () => cancelAnimationFrame(frame);
  }, [signature, isHeld, fitView]);
  return null;
}
