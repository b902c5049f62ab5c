import type { Operation, Reply } from "./operation.ts";
import { planRead, readAccess, requireEntry } from "./object-read.ts";

export const getObject: Operation = {
  level: "object",
  name: "GetObject",
  access: readAccess,
  async handle(call): Promise<Reply> {
    const plan = await planRead(call, requireEntry);
    if (plan.kind === "not-modified") {
      return { kind: "empty", status: 304, headers: plan.headers };
    }
    const { entry, range, status, headers } = plan;
    if (entry.content.kind === "inline") {
      const bytes = entry.content.bytes.subarray(range.start, range.end);
      return { kind: "bytes", status, headers, bytes };
    }
    return {
      kind: "stream",
      status,
      headers,
      sizeBytes: range.end - range.start,
      stream: call.store.filer.readFile(entry, range, { pieces: "lent" }),
    };
  },
};
