import { Group, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { RunMessage, StorageState } from "../../api/pipeline-messages.ts";
import { type Predicate, fetchRuns } from "../../api/pipelines.ts";
import { isFinalState } from "../../api/run-graph.ts";
import { type Column, DataTable, type Sort } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Pager } from "../../components/pager.tsx";
import { STATE_LABELS } from "../../components/state-labels.ts";
import { usePages } from "../../components/use-pages.ts";
import { NoRuns } from "./no-runs.tsx";
import { RunActions } from "./run-actions.tsx";
import { RUN_COLUMNS } from "./run-columns.tsx";

const PAGE_SIZE = 25;
const LIVE_REFRESH_MS = 2000;
const IDLE_REFRESH_MS = 10_000;

const COLUMNS: readonly Column<RunMessage>[] = [
  ...RUN_COLUMNS,
  { id: "actions", title: "", width: 50, cell: (run) => <RunActions run={run} /> },
];

const STATES = Object.entries(STATE_LABELS).map(([value, label]) => ({ value, label }));

/** Runs of one storage state, of one experiment or of all: filtered, sorted and paged by the server. */
export function RunList(props: { readonly storage: StorageState; readonly experimentId?: string }) {
  const [name, setName] = useState("");
  const [state, setState] = useState<string | null>(null);
  const [sort, setSort] = useState<Sort>({ field: "created_at", direction: "desc" });
  const [settledName] = useDebouncedValue(name, 250);
  const pages = usePages();
  const predicates = useMemo(
    () => runPredicates({ storage: props.storage, name: settledName, state }),
    [props.storage, settledName, state],
  );
  const sortBy = `${sort.field} ${sort.direction}`;
  const runs = useQuery({
    queryKey: ["runs", { experiment: props.experimentId, predicates, sortBy, page: pages.token }],
    queryFn: () =>
      fetchRuns({
        pageSize: PAGE_SIZE,
        pageToken: pages.token,
        sortBy,
        predicates,
        experimentId: props.experimentId,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: (query) =>
      query.state.data?.items.some((run) => !isFinalState(run.state)) === true
        ? LIVE_REFRESH_MS
        : IDLE_REFRESH_MS,
  });
  const isFiltered = settledName !== "" || state !== null;
  return (
    <>
      <Group gap="xs">
        <TextInput
          aria-label="Filter by name"
          placeholder="Filter by name"
          leftSection={<IconSearch size={14} />}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
            pages.reset();
          }}
          w={240}
          data-testid="run-filter"
        />
        <Select
          aria-label="Filter by state"
          placeholder="Any state"
          data={STATES}
          value={state}
          onChange={(value) => {
            setState(value);
            pages.reset();
          }}
          clearable
          w={150}
          data-testid="run-state-filter"
        />
      </Group>
      <DataTable
        label="Runs"
        columns={COLUMNS}
        rows={runs.data?.items}
        rowKey={(run) => run.run_id}
        error={runs.error}
        empty={<NoRunsHere isFiltered={isFiltered} storage={props.storage} />}
        sort={sort}
        onSort={(next) => {
          setSort(next);
          pages.reset();
        }}
        footer={
          <Pager
            pages={pages}
            nextToken={runs.data?.nextToken}
            totalSize={runs.data?.totalSize ?? 0}
            noun="run"
          />
        }
      />
    </>
  );
}

function NoRunsHere(props: { readonly isFiltered: boolean; readonly storage: StorageState }) {
  if (props.isFiltered) {
    return <EmptyState title="No run fits the filter">Change or clear it to see more.</EmptyState>;
  }
  if (props.storage === "AVAILABLE") return <NoRuns />;
  return (
    <EmptyState title="Nothing is archived">
      Archive a run from the list of runs to keep it out of the way.
    </EmptyState>
  );
}

function runPredicates(filter: {
  readonly storage: StorageState;
  readonly name: string;
  readonly state: string | null;
}): readonly Predicate[] {
  const predicates: Predicate[] = [
    { operation: "EQUALS", key: "storage_state", string_value: filter.storage },
  ];
  if (filter.name !== "") {
    predicates.push({ operation: "IS_SUBSTRING", key: "name", string_value: filter.name });
  }
  if (filter.state !== null) {
    predicates.push({ operation: "EQUALS", key: "state", string_value: filter.state });
  }
  return predicates;
}
