import { Typography } from "@mantine/core";
import { safeMarkdown } from "./safe-markdown.ts";
import { WithText } from "./with-text.tsx";

export function MarkdownPreview(props: { readonly address: string }) {
  return (
    <WithText
      address={props.address}
      render={(text) => (
        <Typography p="md" fz="sm">
          {/* Cleaned by safeMarkdown: no scripts, handlers, styles, forms, frames or foreign addresses are left. */}
          <div dangerouslySetInnerHTML={{ __html: safeMarkdown(text) }} />
        </Typography>
      )}
    />
  );
}
