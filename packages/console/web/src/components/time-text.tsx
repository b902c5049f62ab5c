import { Text } from "@mantine/core";
import { nowMs } from "../browser/time.ts";
import { formatAge, formatDateTime, parseTime } from "../format/time.ts";

/** A moment as its age, with the exact time for those who point at it. */
export function TimeText(props: { readonly at: string | number | null | undefined }) {
  const timeMs = typeof props.at === "number" ? props.at : parseTime(props.at);
  if (timeMs === undefined) {
    return (
      <Text span c="dimmed" fz="inherit">
        –
      </Text>
    );
  }
  return (
    <time
      dateTime={new Date(timeMs).toISOString()}
      title={formatDateTime(timeMs)}
      style={{ whiteSpace: "nowrap" }}
    >
      {formatAge(timeMs, nowMs())}
    </time>
  );
}
