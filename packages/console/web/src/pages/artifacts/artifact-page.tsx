import type { ArtifactMessage } from "@kelp/wire/management";
import { Badge, Button, Group, Loader, SimpleGrid, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { fetchArtifact } from "../../api/run-graph.ts";
import { downloadAddress } from "../../api/store.ts";
import { saveFromAddress } from "../../browser/save.ts";
import { CopyText } from "../../components/copy-text.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { KeyValues } from "../../components/key-values.tsx";
import { PageLink } from "../../components/links.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { ParameterList } from "../run/parameter-list.tsx";
import { ArtifactContent } from "./artifact-content.tsx";
import { Lineage } from "./lineage.tsx";
import { storeAddress } from "./store-address.ts";

const route = getRouteApi("/artifacts/$artifactId");

export function ArtifactPage() {
  const { artifactId } = route.useParams();
  const found = useQuery({
    queryKey: ["artifact", artifactId],
    queryFn: () => fetchArtifact(artifactId),
  });
  if (found.isError) return <ErrorNote error={found.error} onRetry={() => found.refetch()} />;
  if (found.data === undefined) return <Loader size="sm" aria-label="Loading the artifact" />;
  const { artifact } = found.data;
  return (
    <div className="page" data-testid="artifact-page">
      <ArtifactHeader artifact={artifact} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <section className="panel" style={{ padding: 14 }}>
          <KeyValues
            entries={[
              ["Artifact id", <CopyText key="id" text={artifact.artifact_id} />],
              ["Address", <CopyText key="uri" text={artifact.uri} />],
              ["Created", <TimeText key="created" at={artifact.created_at} />],
            ]}
          />
        </section>
        <section className="panel" aria-label="Metadata">
          <ParameterList parameters={artifact.metadata} empty="This artifact has no metadata." />
        </section>
      </SimpleGrid>
      <Title order={2}>Where it comes from and goes to</Title>
      <Lineage lineage={found.data} />
      <Title order={2}>Content</Title>
      <div className="panel" style={{ overflow: "hidden" }}>
        <ArtifactContent artifact={artifact} />
      </div>
    </div>
  );
}

function ArtifactHeader(props: { readonly artifact: ArtifactMessage }) {
  const { artifact } = props;
  const place = storeAddress(artifact.uri);
  return (
    <PageHeader
      title={
        <Group gap={6}>
          <PageLink to="/artifacts">Artifacts</PageLink>
          <Text span c="dimmed" fz="inherit" aria-hidden>
            /
          </Text>
          {artifact.name || artifact.artifact_id}
        </Group>
      }
      beside={
        <Badge variant="light" color="gray" tt="none">
          {artifact.type}
        </Badge>
      }
    >
      {place !== undefined && (
        <Button
          variant="default"
          onClick={() =>
            saveFromAddress(
              downloadAddress(place.bucket, place.key),
              place.key.slice(place.key.lastIndexOf("/") + 1),
            )
          }
        >
          Download
        </Button>
      )}
    </PageHeader>
  );
}
