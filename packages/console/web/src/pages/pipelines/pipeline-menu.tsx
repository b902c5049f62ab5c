import { ActionIcon, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { deletePipeline, deleteVersion } from "../../api/pipelines.ts";
import { ConfirmModal } from "../../components/confirm-modal.tsx";

export function PipelineMenu(props: {
  readonly pipelineId: string;
  readonly versionId: string | undefined;
}) {
  const { pipelineId, versionId } = props;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [isDeletingVersion, version] = useDisclosure(false);
  const [isDeletingPipeline, pipeline] = useDisclosure(false);
  return (
    <>
      <Menu position="bottom-end" width={180}>
        <Menu.Target>
          <ActionIcon aria-label="Actions of this pipeline" data-testid="pipeline-menu">
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {versionId !== undefined && (
            <Menu.Item color="red" onClick={version.open}>
              Delete this version
            </Menu.Item>
          )}
          <Menu.Item color="red" onClick={pipeline.open}>
            Delete pipeline
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ConfirmModal
        isOpen={isDeletingVersion}
        onClose={version.close}
        title="Delete this version"
        question="Runs of it stay, but cannot be cloned any more. This cannot be undone."
        confirmLabel="Delete version"
        onConfirm={async () => {
          if (versionId !== undefined) await deleteVersion(pipelineId, versionId);
          await client.invalidateQueries({ queryKey: ["versions", pipelineId] });
          await navigate({ to: "/pipelines/details/$pipelineId", params: { pipelineId } });
        }}
      />
      <ConfirmModal
        isOpen={isDeletingPipeline}
        onClose={pipeline.close}
        title="Delete pipeline"
        question="All its versions go with it; its runs stay. This cannot be undone."
        confirmLabel="Delete pipeline"
        onConfirm={async () => {
          await deletePipeline(pipelineId);
          await client.invalidateQueries({ queryKey: ["pipelines"] });
          await navigate({ to: "/pipelines" });
        }}
      />
    </>
  );
}
