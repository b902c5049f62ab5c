import { Loader } from "@mantine/core";
import type { ReactNode } from "react";
import { ErrorNote } from "../components/error-note.tsx";
import { TruncationNote } from "./truncation-note.tsx";
import { useTextPart } from "./use-text-part.ts";

/** Reads the bounded beginning of a content and shows it as `render` says. */
export function WithText(props: {
  readonly address: string;
  readonly render: (text: string, isTruncated: boolean) => ReactNode;
}) {
  const part = useTextPart(props.address);
  if (part.isError) return <ErrorNote error={part.error} />;
  if (part.data === undefined) return <Loader size="sm" m="md" aria-label="Loading preview" />;
  return (
    <>
      {props.render(part.data.text, part.data.isTruncated)}
      {part.data.isTruncated && <TruncationNote />}
    </>
  );
}
