import { type Shell, ShellError, openShell } from "../index.ts";
import { type ManagementServer, TOKEN, fakeBucket } from "./management-server.ts";

export function shellFor(server: ManagementServer): Shell {
  return openShell({ baseUrl: server.baseUrl, token: TOKEN });
}

export function fill(
  server: ManagementServer,
  bucket: string,
  objects: Record<string, string>,
): void {
  server.buckets.set(bucket, fakeBucket(new Map(Object.entries(objects))));
}

export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ShellError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "accepted";
}
