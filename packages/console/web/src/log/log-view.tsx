import "./log.css";
import { Button, Group, Switch, Text, TextInput } from "@mantine/core";
import { IconDownload, IconSearch } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { saveText } from "../browser/save.ts";
import { ErrorNote } from "../components/error-note.tsx";
import { formatCount } from "../format/size.ts";
import type { LogSnapshot } from "./log-buffer.ts";
import { useLog } from "./use-log.ts";

const LINE_HEIGHT = 18;

/** A step's log: live, long, searchable. */
export function LogView(props: { readonly runId: string; readonly taskId: string }) {
  const log = useLog(props.runId, props.taskId);
  const [search, setSearch] = useState("");
  const [isFollowing, setIsFollowing] = useState(true);
  const lines = useMemo(() => matching(log.lines, search), [log.lines, search]);
  return (
    <div className="log-view">
      <Group gap="xs" wrap="nowrap" pb={6}>
        <TextInput
          aria-label="Search in the log"
          placeholder="Search"
          leftSection={<IconSearch size={14} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          style={{ flex: 1 }}
        />
        <Switch
          label="Follow"
          checked={isFollowing}
          onChange={(event) => setIsFollowing(event.currentTarget.checked)}
        />
        <Button
          variant="default"
          aria-label="Download the log"
          onClick={() => saveText(log.lines.join("\n"), `${props.taskId}.log`)}
        >
          <IconDownload size={14} />
        </Button>
      </Group>
      {log.phase.kind === "failed" && <ErrorNote error={log.phase.error} />}
      <LogLines lines={lines} isFollowing={isFollowing} onLeaveEnd={() => setIsFollowing(false)} />
      <LogFooter log={log} />
    </div>
  );
}

function LogLines(props: {
  readonly lines: readonly string[];
  readonly isFollowing: boolean;
  readonly onLeaveEnd: () => void;
}) {
  const { lines, isFollowing } = props;
  const pane = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => pane.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 30,
  });
  useEffect(() => {
    if (isFollowing && lines.length > 0) virtualizer.scrollToIndex(lines.length - 1);
  }, [isFollowing, lines.length, virtualizer]);
  return (
    <div
      ref={pane}
      className="log-lines"
      role="log"
      aria-label="Log"
      tabIndex={0}
      data-testid="task-log"
      onWheel={(event) => {
        if (event.deltaY < 0) props.onLeaveEnd();
      }}
    >
      <div style={{ height: virtualizer.getTotalSize(), position: "relative" }}>
        {virtualizer.getVirtualItems().map((item) => (
          <div
            key={item.key}
            ref={virtualizer.measureElement}
            data-index={item.index}
            className="log-line"
            style={{ transform: `translateY(${item.start}px)` }}
          >
            {lines[item.index]}
          </div>
        ))}
      </div>
    </div>
  );
}

function LogFooter(props: { readonly log: LogSnapshot }) {
  const { lines, droppedCount, phase } = props.log;
  const ending = phase.kind === "open" ? "Waiting for more" : "The log has ended";
  return (
    <Text size="xs" c="dimmed" pt={4}>
      {lines.length === 0 && phase.kind === "ended"
        ? "This step wrote nothing."
        : `${formatCount(lines.length)} lines. ${ending}.`}
      {droppedCount > 0 && ` The first ${formatCount(droppedCount)} lines are not shown.`}
    </Text>
  );
}

function matching(lines: readonly string[], search: string): readonly string[] {
  if (search === "") return lines;
  const wanted = search.toLowerCase();
  return lines.filter((line) => line.toLowerCase().includes(wanted));
}
