import type { ObjectItemMessage } from "@kelp/wire/management";
import { Group } from "@mantine/core";
import { IconFile, IconFolderFilled } from "@tabler/icons-react";
import type { Column } from "../../components/data-table.tsx";
import { PageLink } from "../../components/links.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { formatSize } from "../../format/size.ts";
import { ObjectActions } from "./object-actions.tsx";

export function objectColumns(
  bucket: string,
  prefix: string,
): readonly Column<ObjectItemMessage>[] {
  return [
    {
      id: "name",
      title: "Name",
      cell: (item) => <ItemName bucket={bucket} prefix={prefix} item={item} />,
    },
    {
      id: "size",
      title: "Size",
      width: 110,
      isNumeric: true,
      cell: (item) => (item.kind === "object" ? formatSize(item.size_bytes) : ""),
    },
    {
      id: "modified",
      title: "Modified",
      width: 140,
      isNumeric: true,
      cell: (item) => (item.kind === "object" ? <TimeText at={item.modified_ms} /> : ""),
    },
    {
      id: "actions",
      title: "",
      width: 50,
      cell: (item) =>
        item.kind === "object" ? <ObjectActions bucket={bucket} objectKey={item.key} /> : null,
    },
  ];
}

function ItemName(props: {
  readonly bucket: string;
  readonly prefix: string;
  readonly item: ObjectItemMessage;
}) {
  const { bucket, prefix, item } = props;
  const isFolder = item.kind === "prefix";
  const path = isFolder ? item.prefix : item.key;
  const name = path.slice(prefix.length) || path;
  const Icon = isFolder ? IconFolderFilled : IconFile;
  const search = isFolder
    ? { prefix: path }
    : { object: path, ...(prefix === "" ? {} : { prefix }) };
  return (
    <Group gap={8} wrap="nowrap">
      <Icon
        size={16}
        stroke={1.6}
        aria-label={isFolder ? "Folder" : "Object"}
        color={isFolder ? "light-dark(#c28b1c, #d9a53f)" : "var(--kelp-quiet)"}
        style={{ flex: "none" }}
      />
      <PageLink to="/buckets/$bucket" params={{ bucket }} search={search} data-testid="object-name">
        {name}
      </PageLink>
    </Group>
  );
}
