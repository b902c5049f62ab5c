import { Text } from "@mantine/core";

/** Named values of a run or task. */
export function ParameterList(props: {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly empty: string;
}) {
  const entries = Object.entries(props.parameters);
  if (entries.length === 0) {
    return (
      <Text size="sm" c="dimmed" p="sm">
        {props.empty}
      </Text>
    );
  }
  return (
    <table className="data-table" aria-label="Parameters">
      <tbody>
        {entries.map(([name, value]) => (
          <tr key={name} data-testid="parameter" data-name={name}>
            <td style={{ width: "38%", color: "var(--kelp-quiet)" }}>{name}</td>
            <td>
              <pre
                className="mono"
                style={{ margin: 0, whiteSpace: "pre-wrap", maxHeight: 180, overflow: "auto" }}
              >
                {parameterText(value)}
              </pre>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function parameterText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}
