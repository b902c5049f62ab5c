import { EmptyState } from "../../components/empty-state.tsx";
import { PageButton } from "../../components/links.tsx";

export function NoRuns() {
  return (
    <EmptyState
      title="No runs yet"
      action={<PageButton to="/pipelines">Choose a pipeline</PageButton>}
    >
      Upload a compiled pipeline and start it here, or point kfp.Client at this server.
    </EmptyState>
  );
}
