import { XML_HEAD, element } from "../xml/builder.ts";
import type { PrimedReply } from "./send.ts";
import type { S3Error } from "../errors.ts";

/** Where an error happened, for whoever reads it. */
export interface ErrorPlace {
  readonly rawPath: string;
  readonly requestId: string;
  readonly hostId: string;
}

/** An error as S3 clients read it. HEAD has no body, so that only the status speaks. */
export function errorReply(error: S3Error, about: ErrorPlace): PrimedReply {
  const headers: Record<string, string> = { "Content-Type": "application/xml" };
  const { details } = error;
  if (details["Region"] !== undefined) headers["x-amz-bucket-region"] = details["Region"];
  if (error.code === "InvalidRange" && details["ActualObjectSize"] !== undefined) {
    headers["Content-Range"] = `bytes */${details["ActualObjectSize"]}`;
  }
  if (error.code === "SlowDown" || error.code === "ServiceUnavailable")
    headers["Retry-After"] = "1";
  // What is left of the body may still come: nothing behind it can be waited for.
  if (error.code === "RequestTimeout") headers["Connection"] = "close";
  const bytes = errorDocument(error, about);
  return { kind: "bytes", status: error.status, headers, bytes };
}

export function errorDocument(error: S3Error, about: ErrorPlace): string {
  const extra = Object.entries(error.details)
    .map(([name, value]) => element(name, value))
    .join("");
  return (
    `${XML_HEAD}<Error>${element("Code", error.code)}${element("Message", error.message)}${extra}` +
    `${element("Resource", about.rawPath)}${element("RequestId", about.requestId)}${element("HostId", about.hostId)}</Error>`
  );
}
