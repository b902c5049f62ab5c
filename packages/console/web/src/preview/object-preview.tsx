import { Loader, Text } from "@mantine/core";
import { Suspense, lazy } from "react";
import { EmptyState } from "../components/empty-state.tsx";
import { formatSize } from "../format/size.ts";
import { unreachable } from "../unreachable.ts";
import { type PreviewKind, previewKind } from "./preview-kind.ts";
import type { PreviewSubject } from "./preview-subject.ts";

const TextPreview = lazy(async () => ({
  default: (await import("./text-preview.tsx")).TextPreview,
}));
const TablePreview = lazy(async () => ({
  default: (await import("./table-preview.tsx")).TablePreview,
}));
const ParquetPreview = lazy(async () => ({
  default: (await import("./parquet-preview.tsx")).ParquetPreview,
}));
const MarkdownPreview = lazy(async () => ({
  default: (await import("./markdown-preview.tsx")).MarkdownPreview,
}));
const HtmlPreview = lazy(async () => ({
  default: (await import("./html-preview.tsx")).HtmlPreview,
}));
const ImagePreview = lazy(async () => ({
  default: (await import("./image-preview.tsx")).ImagePreview,
}));

/** Shows a stored content, never more of it than its kind's limit, and never as code of this page. */
export function ObjectPreview(props: { readonly subject: PreviewSubject }) {
  const { subject } = props;
  const kind = previewKind(subject);
  return (
    <div data-testid="artifact-preview" data-kind={kind}>
      {subject.sizeBytes === 0 ? (
        <EmptyState title="This object is empty" />
      ) : (
        <Suspense fallback={<Loader size="sm" m="md" aria-label="Loading preview" />}>
          <PreviewOfKind kind={kind} subject={subject} />
        </Suspense>
      )}
    </div>
  );
}

/** Small contents without a known kind are most often text: numbers, words, JSON that a step wrote. */
const UNKNOWN_TEXT_BYTES_MAX = 64 * 1024;

function PreviewOfKind(props: { readonly kind: PreviewKind; readonly subject: PreviewSubject }) {
  const { kind, subject } = props;
  switch (kind) {
    case "text":
    case "json":
      return <TextPreview address={subject.address} kind={kind} />;
    case "csv":
      return <TablePreview address={subject.address} delimiter="," />;
    case "tsv":
      return <TablePreview address={subject.address} delimiter={"\t"} />;
    case "parquet":
      return <ParquetPreview address={subject.address} sizeBytes={subject.sizeBytes} />;
    case "markdown":
      return <MarkdownPreview address={subject.address} />;
    case "html":
      return <HtmlPreview address={subject.address} />;
    case "image":
      return <ImagePreview subject={subject} />;
    case "none":
      return subject.sizeBytes <= UNKNOWN_TEXT_BYTES_MAX ? (
        <TextPreview address={subject.address} kind="unknown" />
      ) : (
        <NoPreview sizeBytes={subject.sizeBytes} />
      );
    default:
      return unreachable(kind);
  }
}

function NoPreview(props: { readonly sizeBytes: number }) {
  return (
    <Text size="sm" c="dimmed" p="md">
      There is no preview for this kind of content ({formatSize(props.sizeBytes)}). Download it to
      open it with a program of yours.
    </Text>
  );
}
