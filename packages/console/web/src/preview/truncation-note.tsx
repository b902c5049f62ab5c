import { Text } from "@mantine/core";
import { formatSize } from "../format/size.ts";
import { TEXT_BYTES_MAX } from "./read-part.ts";

export function TruncationNote() {
  return (
    <Text size="xs" c="dimmed" p="xs">
      Only the first {formatSize(TEXT_BYTES_MAX)} are shown. Download the object to see all of it.
    </Text>
  );
}
