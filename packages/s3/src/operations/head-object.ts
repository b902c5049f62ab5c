import type { Operation, Reply } from "./operation.ts";
import { planRead, readAccess, requireHead } from "./object-read.ts";

export const headObject: Operation = {
  level: "object",
  name: "HeadObject",
  access: readAccess,
  async handle(call): Promise<Reply> {
    const plan = await planRead(call, requireHead);
    if (plan.kind === "not-modified") {
      return { kind: "empty", status: 304, headers: plan.headers };
    }
    return {
      kind: "empty",
      status: plan.status,
      headers: plan.headers,
      announcedBytes: plan.range.end - plan.range.start,
    };
  },
};
