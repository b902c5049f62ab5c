import { Button, FileInput, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { PIPELINE_FILE_BYTES_MAX, type PipelineUpload } from "../../api/pipeline-upload.ts";
import { ErrorNote } from "../../components/error-note.tsx";
import { formatSize } from "../../format/size.ts";

/** Asks for a file and a name. */
export function UploadModal(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly onUpload: (upload: PipelineUpload) => Promise<void>;
}) {
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const upload = useMutation({
    mutationFn: async () => {
      if (file === null) throw new Error("Choose a file first");
      if (file.size > PIPELINE_FILE_BYTES_MAX) {
        throw new Error(`The file is over ${formatSize(PIPELINE_FILE_BYTES_MAX)}`);
      }
      await props.onUpload({ file, name: name.trim(), description: description.trim() });
    },
    onSuccess: props.onClose,
  });
  return (
    <Modal opened onClose={props.onClose} title={props.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          upload.mutate();
        }}
      >
        <Stack gap="sm">
          <FileInput
            label="File"
            description="A compiled pipeline: YAML or JSON, or a zip or tar.gz of one"
            placeholder="Choose a file"
            accept=".yaml,.yml,.json,.zip,.tar.gz,.tgz"
            value={file}
            onChange={(chosen) => {
              setFile(chosen);
              if (chosen !== null && name === "") setName(nameOfFile(chosen.name));
            }}
            required
            data-testid="pipeline-file"
          />
          <TextInput
            label="Name"
            required
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            data-testid="pipeline-name"
          />
          <Textarea
            label="Description"
            autosize
            maxRows={6}
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
          {upload.isError && <ErrorNote error={upload.error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={upload.isPending} data-testid="pipeline-submit">
              Upload
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function nameOfFile(fileName: string): string {
  return fileName.replace(/\.(ya?ml|json|zip|tgz|tar\.gz)$/i, "");
}
