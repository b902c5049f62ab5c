import { useQuery } from "@tanstack/react-query";
import { fetchRuns } from "../../api/pipelines.ts";
import { DataTable } from "../../components/data-table.tsx";
import { RUN_COLUMNS } from "../runs/run-columns.tsx";
import { NoRuns } from "../runs/no-runs.tsx";

const RECENT_RUN_COUNT = 8;
const REFRESH_MS = 5000;

export function RecentRuns() {
  const runs = useQuery({
    queryKey: ["runs", "recent"],
    queryFn: () => fetchRuns({ pageSize: RECENT_RUN_COUNT, sortBy: "created_at desc" }),
    refetchInterval: REFRESH_MS,
  });
  return (
    <DataTable
      label="Recent runs"
      columns={RUN_COLUMNS}
      rows={runs.data?.items}
      rowKey={(run) => run.run_id}
      error={runs.error}
      empty={<NoRuns />}
    />
  );
}
