import type { ArtifactMessage } from "@kelp/wire/management";
import { Badge, Button, Group, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { PageLink } from "../../components/links.tsx";
import { ArtifactContent } from "./artifact-content.tsx";

/** An artifact as an input or output: its name, its type, and its content on demand. */
export function ArtifactRow(props: { readonly name: string; readonly artifact: ArtifactMessage }) {
  const { name, artifact } = props;
  const [isOpen, { toggle }] = useDisclosure(false);
  return (
    <div className="panel" data-testid="artifact" data-name={name} style={{ overflow: "hidden" }}>
      <Group justify="space-between" wrap="nowrap" px={12} py={7}>
        <Group gap={8} wrap="nowrap" style={{ minWidth: 0 }}>
          <PageLink
            to="/artifacts/$artifactId"
            params={{ artifactId: artifact.artifact_id }}
            fw={500}
            fz="sm"
          >
            {name}
          </PageLink>
          <Badge size="xs" variant="light" color="gray" tt="none">
            {artifact.type}
          </Badge>
        </Group>
        <Button
          variant="subtle"
          size="compact-xs"
          onClick={toggle}
          aria-expanded={isOpen}
          data-testid="preview-artifact"
        >
          {isOpen ? "Hide" : "Preview"}
        </Button>
      </Group>
      <Text
        size="xs"
        c="dimmed"
        px={12}
        pb={7}
        className="mono"
        style={{ overflowWrap: "anywhere" }}
      >
        {artifact.uri}
      </Text>
      {isOpen && (
        <div style={{ borderTop: "1px solid var(--kelp-line)" }}>
          <ArtifactContent artifact={artifact} />
        </div>
      )}
    </div>
  );
}
