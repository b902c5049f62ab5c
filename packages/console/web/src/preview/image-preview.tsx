import { Text } from "@mantine/core";
import { formatSize } from "../format/size.ts";
import type { PreviewSubject } from "./preview-subject.ts";
import { IMAGE_BYTES_MAX } from "./read-part.ts";

/** An `img` runs nothing, not even in a drawing that holds scripts. */
export function ImagePreview(props: { readonly subject: PreviewSubject }) {
  const { subject } = props;
  if (subject.sizeBytes > IMAGE_BYTES_MAX) {
    return (
      <Text size="sm" c="dimmed" p="md">
        This image has {formatSize(subject.sizeBytes)}; only those up to{" "}
        {formatSize(IMAGE_BYTES_MAX)} are shown.
      </Text>
    );
  }
  return (
    <img
      src={subject.address}
      alt={`Content of ${subject.key}`}
      style={{ maxWidth: "100%", maxHeight: "60vh", display: "block", margin: "12px auto" }}
    />
  );
}
