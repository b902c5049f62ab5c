import { Button, Group, Select, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type NewRun, createRun, fetchExperiments } from "../../api/pipelines.ts";
import { ErrorNote } from "../../components/error-note.tsx";
import { RunInputField } from "./run-input-field.tsx";
import { type RunInput, inputText, parseInput } from "./run-inputs.ts";
import type { RunSource } from "./run-source.ts";

const EXPERIMENT_COUNT_MAX = 200;

export function RunForm(props: {
  readonly source: RunSource;
  readonly experimentId: string | undefined;
}) {
  const { source } = props;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(source.suggestedName);
  const [description, setDescription] = useState("");
  const [experimentId, setExperimentId] = useState(props.experimentId ?? source.experimentId);
  const [pipelineRoot, setPipelineRoot] = useState(source.pipelineRoot);
  const [texts, setTexts] = useState(() => initialTexts(source));
  const [isChecked, setIsChecked] = useState(false);
  const { parameters, problems } = readTexts(source.inputs, texts);
  const start = useMutation({
    mutationFn: (run: NewRun) => createRun(run),
    onSuccess: async (run) => {
      await client.invalidateQueries({ queryKey: ["runs"] });
      await navigate({ to: "/runs/details/$runId", params: { runId: run.run_id } });
    },
  });
  return (
    <form
      data-testid="run-form"
      onSubmit={(event) => {
        event.preventDefault();
        setIsChecked(true);
        if (Object.keys(problems).length > 0) return;
        start.mutate({
          ...source.follows,
          display_name: name.trim(),
          ...(description.trim() === "" ? {} : { description: description.trim() }),
          ...(experimentId === undefined ? {} : { experiment_id: experimentId }),
          runtime_config: {
            parameters,
            ...(pipelineRoot.trim() === "" ? {} : { pipeline_root: pipelineRoot.trim() }),
          },
        });
      }}
    >
      <Stack gap="sm">
        <TextInput
          label="Name"
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          data-testid="run-name-input"
        />
        <Textarea
          label="Description"
          autosize
          maxRows={6}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <ExperimentChoice value={experimentId} onChange={setExperimentId} />
        <Title order={2} mt={6}>
          Parameters
        </Title>
        {source.inputs.length === 0 && (
          <Text size="sm" c="dimmed">
            This pipeline takes no parameters.
          </Text>
        )}
        {source.inputs.map((input) => (
          <RunInputField
            key={input.name}
            input={input}
            text={texts[input.name] ?? ""}
            error={isChecked ? problems[input.name] : undefined}
            onChange={(text) => setTexts({ ...texts, [input.name]: text })}
          />
        ))}
        <TextInput
          label="Pipeline root"
          description="Where artifacts go. Leave empty for the server's own place."
          placeholder="s3://bucket/prefix"
          value={pipelineRoot}
          onChange={(event) => setPipelineRoot(event.currentTarget.value)}
        />
        {start.isError && <ErrorNote error={start.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={start.isPending} data-testid="start-run">
            Start run
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function ExperimentChoice(props: {
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}) {
  const experiments = useQuery({
    queryKey: ["experiments", "choices"],
    queryFn: () => fetchExperiments({ pageSize: EXPERIMENT_COUNT_MAX, sortBy: "created_at asc" }),
  });
  return (
    <Select
      label="Experiment"
      placeholder="Default"
      clearable
      searchable
      data={(experiments.data?.items ?? []).map((experiment) => ({
        value: experiment.experiment_id,
        label: experiment.display_name || experiment.experiment_id,
      }))}
      value={props.value ?? null}
      onChange={(value) => props.onChange(value ?? undefined)}
    />
  );
}

function initialTexts(source: RunSource): Readonly<Record<string, string>> {
  return Object.fromEntries(
    source.inputs.map((input) => [
      input.name,
      inputText(input, source.values[input.name] ?? input.defaultValue),
    ]),
  );
}

function readTexts(
  inputs: readonly RunInput[],
  texts: Readonly<Record<string, string>>,
): {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly problems: Readonly<Record<string, string>>;
} {
  const parameters: Record<string, unknown> = {};
  const problems: Record<string, string> = {};
  for (const input of inputs) {
    const parsed = parseInput(input, texts[input.name] ?? "");
    if (parsed.kind === "value") parameters[input.name] = parsed.value;
    if (parsed.kind === "wrong") problems[input.name] = parsed.message;
  }
  return { parameters, problems };
}
