import { Box, Loader, Table } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ErrorNote } from "./error-note.tsx";

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  readonly isNumeric?: boolean;
  readonly width?: number | string;
  /** The field that the server sorts by, when it can. */
  readonly sortField?: string;
}

export interface Sort {
  readonly field: string;
  readonly direction: "asc" | "desc";
}

export interface DataTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  /** `undefined` while they are being fetched. */
  readonly rows: readonly Row[] | undefined;
  readonly rowKey: (row: Row) => string;
  readonly error?: unknown;
  readonly empty: ReactNode;
  readonly sort?: Sort;
  readonly onSort?: (sort: Sort) => void;
  readonly footer?: ReactNode;
}

/** A list of things of one kind, with its states: loading, failed, empty, filled. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  if (props.error !== undefined && props.error !== null) return <ErrorNote error={props.error} />;
  if (props.rows === undefined) {
    return (
      <Box className="panel" p="xl" ta="center">
        <Loader size="sm" aria-label={`Loading ${props.label}`} />
      </Box>
    );
  }
  if (props.rows.length === 0) return <div className="panel">{props.empty}</div>;
  return (
    <div className="panel">
      <Table.ScrollContainer minWidth={520} type="native">
        <table className="data-table" aria-label={props.label}>
          <thead>
            <tr>
              {props.columns.map((column) => (
                <HeaderCell key={column.id} column={column} table={props} />
              ))}
            </tr>
          </thead>
          <tbody>
            {props.rows.map((row) => (
              <tr key={props.rowKey(row)} data-testid="table-row">
                {props.columns.map((column) => (
                  <td key={column.id} className={column.isNumeric === true ? "numeric" : undefined}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Table.ScrollContainer>
      {props.footer}
    </div>
  );
}

function HeaderCell<Row>(props: {
  readonly column: Column<Row>;
  readonly table: Pick<DataTableProps<Row>, "sort" | "onSort">;
}) {
  const { column } = props;
  const { sort, onSort } = props.table;
  const className = column.isNumeric === true ? "numeric" : undefined;
  const { sortField } = column;
  if (sortField === undefined || onSort === undefined) {
    return (
      <th className={className} style={{ width: column.width }}>
        {column.title}
      </th>
    );
  }
  const direction = sort?.field === sortField ? sort.direction : undefined;
  const Arrow = direction === "asc" ? IconArrowUp : IconArrowDown;
  return (
    <th
      className={className}
      style={{ width: column.width }}
      aria-sort={
        direction === undefined ? "none" : direction === "asc" ? "ascending" : "descending"
      }
    >
      <button
        type="button"
        className="sort-button"
        onClick={() =>
          onSort({ field: sortField, direction: direction === "desc" ? "asc" : "desc" })
        }
      >
        {column.title}
        {direction !== undefined && <Arrow size={13} aria-hidden />}
      </button>
    </th>
  );
}
