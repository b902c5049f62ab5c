import { plural } from "../format/size.ts";
import { CellTable } from "./cell-table.tsx";
import { parseDelimited } from "./delimited.ts";
import { WithText } from "./with-text.tsx";

const ROW_COUNT_MAX = 200;

export function TablePreview(props: { readonly address: string; readonly delimiter: string }) {
  return (
    <WithText
      address={props.address}
      render={(text) => {
        const all = parseDelimited(text, {
          delimiter: props.delimiter,
          rowCountMax: ROW_COUNT_MAX + 2,
        });
        const [header = [], ...rows] = all;
        const note =
          rows.length > ROW_COUNT_MAX
            ? `The first ${ROW_COUNT_MAX} rows`
            : plural(rows.length, "row");
        return <CellTable header={header} rows={rows.slice(0, ROW_COUNT_MAX)} note={note} />;
      }}
    />
  );
}
