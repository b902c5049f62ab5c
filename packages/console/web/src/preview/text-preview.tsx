import { Text } from "@mantine/core";
import { WithText } from "./with-text.tsx";

export function TextPreview(props: {
  readonly address: string;
  readonly kind: "text" | "json" | "unknown";
}) {
  return (
    <WithText
      address={props.address}
      render={(text, isTruncated) =>
        props.kind === "unknown" && looksBinary(text) ? (
          <Text size="sm" c="dimmed" p="md">
            This content is not text. Download it to open it with a program of yours.
          </Text>
        ) : (
          <pre className="code-block">
            {props.kind === "json" && !isTruncated ? indentJson(text) : text}
          </pre>
        )
      }
    />
  );
}

function looksBinary(text: string): boolean {
  return text.includes("\0") || text.slice(0, 4096).includes("\uFFFD");
}

function indentJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    // Named JSON but is none: what is there is shown as it is.
    return text;
  }
}
