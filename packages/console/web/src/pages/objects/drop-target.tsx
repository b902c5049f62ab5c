import { type DragEvent, type ReactNode, useState } from "react";

/** Takes files that are dropped anywhere on its content. */
export function DropTarget(props: {
  readonly onFiles: (files: readonly File[]) => void;
  readonly children: ReactNode;
}) {
  const [isOver, setIsOver] = useState(false);
  const carriesFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes("Files");
  return (
    <div
      className="drop-target"
      data-over={isOver || undefined}
      data-testid="drop-target"
      onDragOver={(event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={(event) => {
        const to = event.relatedTarget;
        if (!(to instanceof Node) || !event.currentTarget.contains(to)) setIsOver(false);
      }}
      onDrop={(event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        setIsOver(false);
        props.onFiles([...event.dataTransfer.files]);
      }}
    >
      {props.children}
    </div>
  );
}
