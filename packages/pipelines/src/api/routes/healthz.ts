import { type ApiApp, type ApiDeps, authorize } from "../context.ts";

/** Whether the server answers, and which it is. `multi_user` is absent, which means false. */
export function healthzRoutes(app: ApiApp, deps: ApiDeps): void {
  app.get("/apis/v2beta1/healthz", (context) => {
    authorize(deps, context, "GetHealthz", "healthz");
    return context.json({ tag_name: deps.version, pipeline_store: "database" });
  });
  app.get("/apis/v1beta1/healthz", (context) => {
    authorize(deps, context, "GetHealthz", "healthz");
    return context.json({ tag_name: deps.version });
  });
}
