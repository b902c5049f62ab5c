import { ApiError, apiErrorOf } from "./http.ts";
import { objectAddress } from "./store.ts";

export interface ObjectUpload {
  readonly bucket: string;
  readonly key: string;
  readonly file: File;
  readonly signal: AbortSignal;
  readonly onProgress: (sentBytes: number) => void;
}

/** Sends a file. The browser streams it from the disk; only this older interface tells how much has been sent. */
export function uploadObject(upload: ObjectUpload): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    request.upload.addEventListener("progress", (event) => upload.onProgress(event.loaded));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(apiErrorOf(request.status, request.responseText));
    });
    request.addEventListener("error", () => {
      reject(new ApiError(0, "network", "The connection to the server broke"));
    });
    request.addEventListener("abort", () => {
      reject(new ApiError(0, "aborted", "The upload was stopped"));
    });
    request.addEventListener("loadend", () => upload.signal.removeEventListener("abort", abort));
    upload.signal.addEventListener("abort", abort, { once: true });
    request.open("PUT", objectAddress(upload.bucket, upload.key));
    request.setRequestHeader("content-type", upload.file.type || "application/octet-stream");
    request.send(upload.file);
    if (upload.signal.aborted) request.abort();
  });
}
