import type { JobValues } from "../run/placeholders.ts";
import type { Run, Task } from "../run/run.ts";
import { cleanRoot } from "../run/uri.ts";

/** What the placeholders about the run and the task stand for. */
export function jobValues(run: Run, row: Task, root: string, workspacePath: string): JobValues {
  return {
    pipeline_job_name: run.displayName,
    pipeline_job_resource_name: `${run.pipelineName}-${run.runId.slice(0, RESOURCE_SUFFIX_LENGTH)}`,
    pipeline_job_uuid: run.runId,
    pipeline_task_name: row.name,
    pipeline_task_uuid: row.taskId,
    pipeline_root: cleanRoot(root),
    pipeline_job_create_time_utc: utcSeconds(run.createdMs),
    pipeline_job_schedule_time_utc: utcSeconds(run.scheduledMs),
    workspace_path: workspacePath,
  };
}

const RESOURCE_SUFFIX_LENGTH = 8;

function utcSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
