import type { ApiApp } from "../context.ts";
import { ApiError } from "../errors.ts";

/** Known parts of the API that this server does not have yet: said plainly, in place of a bare 404. */
export function unservedRoutes(app: ApiApp): void {
  app.all("/apis/v2beta1/recurringruns/*", () => {
    throw new ApiError("unimplemented", "Cannot answer: recurring runs are not served yet");
  });
  app.notFound((context) => {
    throw new ApiError(
      "not-found",
      `Cannot answer: there is no ${context.req.method} ${context.req.path}`,
    );
  });
}
