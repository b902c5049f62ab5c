import { EmptyState } from "../components/empty-state.tsx";
import { PageButton } from "../components/links.tsx";

export function NotFoundPage() {
  return (
    <EmptyState
      title="There is no such page"
      action={<PageButton to="/">Go to the overview</PageButton>}
    >
      The address may be mistyped, or come from an older version.
    </EmptyState>
  );
}
