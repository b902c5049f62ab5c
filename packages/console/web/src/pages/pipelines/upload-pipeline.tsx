import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconUpload } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { uploadPipeline, uploadVersion } from "../../api/pipeline-upload.ts";
import { UploadModal } from "./upload-modal.tsx";

/** Uploads a new pipeline and shows it. */
export function UploadPipeline() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button leftSection={<IconUpload size={14} />} onClick={open} data-testid="upload-pipeline">
        Upload pipeline
      </Button>
      {isOpen && (
        <UploadModal
          title="Upload pipeline"
          onClose={close}
          onUpload={async (upload) => {
            const { pipeline_id: pipelineId } = await uploadPipeline(upload);
            await client.invalidateQueries({ queryKey: ["pipelines"] });
            await navigate({ to: "/pipelines/details/$pipelineId", params: { pipelineId } });
          }}
        />
      )}
    </>
  );
}

/** Uploads a further version of a pipeline and shows it. */
export function UploadVersion(props: { readonly pipelineId: string }) {
  const { pipelineId } = props;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button variant="default" onClick={open} data-testid="upload-version">
        Upload version
      </Button>
      {isOpen && (
        <UploadModal
          title="Upload version"
          onClose={close}
          onUpload={async (upload) => {
            const version = await uploadVersion(pipelineId, upload);
            await client.invalidateQueries({ queryKey: ["versions", pipelineId] });
            await navigate({
              to: "/pipelines/details/$pipelineId/version/$versionId",
              params: { pipelineId, versionId: version.pipeline_version_id },
            });
          }}
        />
      )}
    </>
  );
}
