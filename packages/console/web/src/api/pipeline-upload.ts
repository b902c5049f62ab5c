import { send, withQuery } from "./http.ts";
import type { PipelineMessage, PipelineVersionMessage } from "./pipeline-messages.ts";

/** The server's limit for a specification or an archive of one. */
export const PIPELINE_FILE_BYTES_MAX = 32 * 1024 * 1024;

export interface PipelineUpload {
  readonly file: File;
  readonly name: string;
  readonly description: string;
}

export async function uploadPipeline(upload: PipelineUpload): Promise<PipelineMessage> {
  const path = withQuery("/apis/v2beta1/pipelines/upload", {
    name: upload.name,
    display_name: upload.name,
    description: upload.description,
  });
  return (await sendFile(path, upload.file)) as PipelineMessage;
}

export async function uploadVersion(
  pipelineId: string,
  upload: PipelineUpload,
): Promise<PipelineVersionMessage> {
  const path = withQuery("/apis/v2beta1/pipelines/upload_version", {
    pipelineid: pipelineId,
    name: upload.name,
    display_name: upload.name,
    description: upload.description,
  });
  return (await sendFile(path, upload.file)) as PipelineVersionMessage;
}

async function sendFile(path: string, file: File): Promise<unknown> {
  const form = new FormData();
  form.set("uploadfile", file, file.name);
  return (await send(path, { method: "POST", body: form })).json();
}
