import { PageButton } from "../../components/links.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { RunList } from "./run-list.tsx";

export function RunsPage() {
  return (
    <div className="page" data-testid="runs-page">
      <PageHeader title="Runs">
        <PageButton to="/archive/runs" variant="default">
          Archived runs
        </PageButton>
        <PageButton to="/runs/new" data-testid="new-run">
          New run
        </PageButton>
      </PageHeader>
      <RunList storage="AVAILABLE" />
    </div>
  );
}

export function ArchivedRunsPage() {
  return (
    <div className="page" data-testid="archived-runs-page">
      <PageHeader title="Archived runs">
        <PageButton to="/runs" variant="default">
          Active runs
        </PageButton>
      </PageHeader>
      <RunList storage="ARCHIVED" />
    </div>
  );
}
