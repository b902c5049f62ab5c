import { Text } from "@mantine/core";
import type { Matrix } from "./classification.ts";

export function ConfusionMatrix(props: { readonly matrix: Matrix }) {
  const { labels, rows } = props.matrix;
  const highest = Math.max(1, ...rows.flat());
  return (
    <div style={{ overflow: "auto" }}>
      <Text size="xs" c="dimmed" pb={4}>
        Confusion matrix: rows are what is true, columns what was predicted
      </Text>
      <table className="data-table" style={{ width: "auto" }} aria-label="Confusion matrix">
        <thead>
          <tr>
            <th aria-label="True" />
            {labels.map((label, index) => (
              <th key={`${label}-${index}`} className="numeric">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, rowIndex) => (
            <tr key={`${labels[rowIndex] ?? ""}-${rowIndex}`}>
              <th scope="row">{labels[rowIndex]}</th>
              {row.map((count, index) => (
                <td
                  key={`${labels[index] ?? ""}-${index}`}
                  className="numeric"
                  style={{
                    background: `color-mix(in srgb, var(--mantine-primary-color-filled) ${Math.round((count / highest) * 55)}%, transparent)`,
                  }}
                >
                  {count}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
