import { Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { NewKeyMessage } from "@kelp/wire/management";
import { fetchIdentities } from "../../api/store.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { IdentityCard } from "./identity-card.tsx";
import { IdentityModal } from "./identity-modal.tsx";
import { NewKeyModal } from "./new-key-modal.tsx";

/** Identities, what they may do, and their access keys. */
export function KeysPage() {
  const identities = useQuery({ queryKey: ["identities"], queryFn: fetchIdentities });
  const [newKey, setNewKey] = useState<NewKeyMessage>();
  return (
    <div className="page" data-testid="keys-page">
      <PageHeader title="Access keys">
        <IdentityModal identity={undefined} />
      </PageHeader>
      {identities.isError && <ErrorNote error={identities.error} />}
      {identities.data?.length === 0 && (
        <div className="panel">
          <EmptyState title="No identities yet">
            The server's own first key may do everything. Create an identity for each program or
            person, with no more than it needs.
          </EmptyState>
        </div>
      )}
      <Stack gap="sm">
        {identities.data?.map((identity) => (
          <IdentityCard key={identity.name} identity={identity} onNewKey={setNewKey} />
        ))}
      </Stack>
      {newKey !== undefined && <NewKeyModal newKey={newKey} onClose={() => setNewKey(undefined)} />}
    </div>
  );
}
