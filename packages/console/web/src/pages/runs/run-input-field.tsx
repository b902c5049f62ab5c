import { Select, Textarea, TextInput } from "@mantine/core";
import { type RunInput, inputText } from "./run-inputs.ts";

const TYPE_LABELS: Readonly<Record<RunInput["type"], string>> = {
  STRING: "text",
  NUMBER_INTEGER: "whole number",
  NUMBER_DOUBLE: "number",
  BOOLEAN: "true or false",
  LIST: "JSON list",
  STRUCT: "JSON object",
};

/** A field for one parameter, fit for its type. */
export function RunInputField(props: {
  readonly input: RunInput;
  readonly text: string;
  readonly error: string | undefined;
  readonly onChange: (text: string) => void;
}) {
  const { input, text, error, onChange } = props;
  const common = {
    label: input.name,
    description: [input.description, TYPE_LABELS[input.type]].filter(Boolean).join(" · "),
    error,
    withAsterisk: input.isRequired,
    "data-testid": `parameter-${input.name}`,
  };
  const choices = choicesOf(input);
  if (choices !== undefined) {
    return (
      <Select
        {...common}
        data={choices}
        value={text === "" ? null : text}
        onChange={(value) => onChange(value ?? "")}
        clearable={!input.isRequired}
      />
    );
  }
  if (input.type === "LIST" || input.type === "STRUCT") {
    return (
      <Textarea
        {...common}
        autosize
        minRows={2}
        maxRows={12}
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      />
    );
  }
  return (
    <TextInput
      {...common}
      value={text}
      inputMode={input.type === "STRING" ? "text" : "decimal"}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function choicesOf(input: RunInput): string[] | undefined {
  if (input.literals.length > 0) return input.literals.map((value) => inputText(input, value));
  return input.type === "BOOLEAN" ? ["true", "false"] : undefined;
}
