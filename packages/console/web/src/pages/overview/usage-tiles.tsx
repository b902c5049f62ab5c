import type { OverviewMessage } from "@kelp/wire/management";
import { Progress, SimpleGrid, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { formatCount, formatSize } from "../../format/size.ts";

export function UsageTiles(props: { readonly store: OverviewMessage["store"] }) {
  const { store } = props;
  const usedBytes = store.disk_total_bytes - store.disk_available_bytes;
  const usedPercent = store.disk_total_bytes === 0 ? 0 : (usedBytes / store.disk_total_bytes) * 100;
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md">
      <Tile title="Stored" value={formatSize(store.size_bytes)}>
        in {formatCount(store.volume_count)} volumes
      </Tile>
      <Tile title="Objects" value={formatCount(store.object_count)}>
        in {formatCount(store.bucket_count)} buckets
      </Tile>
      <Tile title="Disk free" value={formatSize(store.disk_available_bytes)}>
        <Progress
          value={usedPercent}
          size="sm"
          my={5}
          color={usedPercent > 95 ? "red" : "kelp"}
          aria-label={`${usedPercent.toFixed(0)} % of the disk is used`}
        />
        of {formatSize(store.disk_total_bytes)}
      </Tile>
      <Tile title="Memory" value={formatSize(store.memory_rss_bytes)}>
        of this server
      </Tile>
    </SimpleGrid>
  );
}

function Tile(props: {
  readonly title: string;
  readonly value: string;
  readonly children: ReactNode;
}) {
  return (
    <section className="panel" style={{ padding: "12px 14px" }}>
      <Text size="xs" c="dimmed" fw={600}>
        {props.title}
      </Text>
      <Text fz={22} fw={600} lh={1.35} style={{ fontVariantNumeric: "tabular-nums" }}>
        {props.value}
      </Text>
      <Text size="xs" c="dimmed" component="div">
        {props.children}
      </Text>
    </section>
  );
}
