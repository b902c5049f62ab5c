import "../run/run.css";
import { Stack, Tabs, Title } from "@mantine/core";
import { useMemo, useState } from "react";
import type { PipelineVersionMessage } from "../../api/pipeline-messages.ts";
import { CopyText } from "../../components/copy-text.tsx";
import { KeyValues } from "../../components/key-values.tsx";
import { SpecText } from "../../components/spec-text.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { GraphView } from "../../graph/graph-view.tsx";
import { tasksOfSpec } from "../../graph/tasks-of-spec.ts";
import { runInputs } from "../runs/run-inputs.ts";
import { InputTable } from "./input-table.tsx";

/** The panels of a version: its graph, its text, its facts. */
export function VersionView(props: { readonly version: PipelineVersionMessage }) {
  const { version } = props;
  const tasks = useMemo(() => tasksOfSpec(version.pipeline_spec), [version.pipeline_spec]);
  const [selectedId, setSelectedId] = useState<string>();
  return (
    <>
      <Tabs.Panel value="graph" className="run-tab-panel">
        <div className="panel" style={{ height: "100%", minHeight: 420, overflow: "hidden" }}>
          <GraphView
            key={version.pipeline_version_id}
            tasks={tasks}
            selectedId={selectedId}
            onSelect={setSelectedId}
          />
        </div>
      </Tabs.Panel>
      <Tabs.Panel value="spec" pt="md">
        <SpecText spec={version.pipeline_spec ?? {}} />
      </Tabs.Panel>
      <Tabs.Panel value="details" pt="md">
        <Stack gap="md" maw={860}>
          <section className="panel" style={{ padding: 14 }}>
            <KeyValues
              entries={[
                ["Version id", <CopyText key="id" text={version.pipeline_version_id} />],
                ["Description", version.description || "–"],
                ["Uploaded", <TimeText key="created" at={version.created_at} />],
                ["Source", version.code_source_url || "–"],
              ]}
            />
          </section>
          <Title order={2}>Parameters</Title>
          <InputTable inputs={runInputs(version.pipeline_spec)} />
        </Stack>
      </Tabs.Panel>
    </>
  );
}
