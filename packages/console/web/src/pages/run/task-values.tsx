import type { RunTaskMessage, TaskValuesMessage } from "@kelp/wire/management";
import { Alert, Stack, Text, Title } from "@mantine/core";
import { ArtifactRow } from "../artifacts/artifact-row.tsx";
import { ParameterList } from "./parameter-list.tsx";

/** What went into a task and what came out. */
export function TaskValues(props: { readonly task: RunTaskMessage }) {
  const { task } = props;
  return (
    <Stack gap="md">
      {task.error !== null && task.error !== "" && (
        <Alert color="red" variant="light" role="alert" data-testid="task-error">
          <pre
            className="mono"
            style={{ margin: 0, whiteSpace: "pre-wrap", maxHeight: 240, overflow: "auto" }}
          >
            {task.error}
          </pre>
        </Alert>
      )}
      <ValueGroup title="Inputs" values={task.inputs} empty="Nothing goes into this task." />
      <ValueGroup title="Outputs" values={task.outputs} empty="Nothing has come out so far." />
    </Stack>
  );
}

function ValueGroup(props: {
  readonly title: string;
  readonly values: TaskValuesMessage;
  readonly empty: string;
}) {
  const { parameters, artifacts } = props.values;
  const hasParameters = Object.keys(parameters).length > 0;
  const named = Object.entries(artifacts).flatMap(([name, list]) =>
    list.map((artifact) => ({ name, artifact })),
  );
  return (
    <section aria-label={props.title}>
      <Title order={3} mb={4}>
        {props.title}
      </Title>
      {!hasParameters && named.length === 0 && (
        <Text size="sm" c="dimmed">
          {props.empty}
        </Text>
      )}
      <Stack gap={8}>
        {hasParameters && (
          <div className="panel">
            <ParameterList parameters={parameters} empty="" />
          </div>
        )}
        {named.map(({ name, artifact }) => (
          <ArtifactRow key={`${name}-${artifact.artifact_id}`} name={name} artifact={artifact} />
        ))}
      </Stack>
    </section>
  );
}
