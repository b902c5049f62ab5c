import { Button, Group } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMemo } from "react";
import { stringify } from "yaml";
import { saveText } from "../browser/save.ts";

/** A specification as YAML. */
export function SpecText(props: { readonly spec: unknown }) {
  const text = useMemo(() => stringify(props.spec, { lineWidth: 0 }), [props.spec]);
  return (
    <div className="panel" data-testid="spec-text">
      <Group justify="flex-end" p={6} style={{ borderBottom: "1px solid var(--kelp-line)" }}>
        <Button
          variant="subtle"
          leftSection={<IconDownload size={14} />}
          onClick={() => saveText(text, "pipeline.yaml")}
        >
          Download
        </Button>
      </Group>
      <pre className="code-block" style={{ maxHeight: "70vh" }}>
        {text}
      </pre>
    </div>
  );
}
