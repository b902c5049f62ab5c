import { EmptyState } from "../../components/empty-state.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { type RunInput, inputText } from "../runs/run-inputs.ts";

const COLUMNS: readonly Column<RunInput>[] = [
  { id: "name", title: "Name", cell: (input) => input.name },
  { id: "type", title: "Type", width: 160, cell: (input) => input.type },
  {
    id: "default",
    title: "Default",
    cell: (input) => (
      <span className="mono">
        {input.isRequired ? "required" : inputText(input, input.defaultValue) || "none"}
      </span>
    ),
  },
  { id: "description", title: "Description", cell: (input) => input.description },
];

/** What a version asks of those who run it. */
export function InputTable(props: { readonly inputs: readonly RunInput[] }) {
  return (
    <DataTable
      label="Parameters"
      columns={COLUMNS}
      rows={props.inputs}
      rowKey={(input) => input.name}
      empty={<EmptyState title="This version takes no parameters" />}
    />
  );
}
