import { Text } from "@mantine/core";

/** A plain grid of values under a header row. */
export function CellTable(props: {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly note: string;
}) {
  return (
    <>
      <div style={{ overflow: "auto", maxHeight: "60vh" }}>
        <table className="data-table" aria-label="Preview of rows">
          <thead style={{ position: "sticky", top: 0, background: "var(--kelp-surface)" }}>
            <tr>
              {props.header.map((title, index) => (
                <th key={`${index}-${title}`}>{title}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {props.rows.map((row, rowIndex) => (
              // Rows of a file have no identity but their place.
              // oxlint-disable-next-line react/no-array-index-key
              <tr key={rowIndex}>
                {row.map((value, cellIndex) => (
                  // oxlint-disable-next-line react/no-array-index-key
                  <td key={cellIndex} className="mono">
                    {value}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Text size="xs" c="dimmed" p="xs">
        {props.note}
      </Text>
    </>
  );
}
