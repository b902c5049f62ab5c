import type { RunState } from "@kelp/wire/management";
import { Loader } from "@mantine/core";
import {
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleMinus,
  IconCircleXFilled,
  IconPlayerPause,
  IconPlayerStopFilled,
} from "@tabler/icons-react";
import { STATE_COLORS } from "./state-labels.ts";

const ICONS = {
  PENDING: IconCircleDashed,
  SUCCEEDED: IconCircleCheckFilled,
  SKIPPED: IconCircleMinus,
  FAILED: IconCircleXFilled,
  CANCELED: IconPlayerStopFilled,
  PAUSED: IconPlayerPause,
} as const;

export function StateIcon(props: { readonly state: RunState | undefined; readonly size?: number }) {
  const state = props.state ?? "PENDING";
  const size = props.size ?? 16;
  if (state === "RUNNING" || state === "CANCELING") {
    return <Loader size={size - 2} color={STATE_COLORS[state]} aria-hidden />;
  }
  const Icon = ICONS[state];
  return <Icon size={size} color={STATE_COLORS[state]} style={{ flex: "none" }} aria-hidden />;
}
