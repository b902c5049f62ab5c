import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { NotFoundPage } from "./pages/not-found-page.tsx";
import { Shell } from "./shell.tsx";

/**
 * Addresses live behind `#`, as links that Kubeflow's tools print expect: `/#/runs/details/<id>`,
 * `/#/experiments/details/<id>`, `/#/pipelines/details/<id>` with or without `/version/<id>`.
 */
const root = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage });

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== ""
    ? value
    : typeof value === "number"
      ? String(value)
      : undefined;

/** A search of optional texts: absent when not given, so that addresses stay short. */
function textSearch<Name extends string>(...names: readonly Name[]) {
  return (search: Record<string, unknown>): { [Key in Name]?: string } => {
    const found: { [Key in Name]?: string } = {};
    for (const name of names) {
      const value = text(search[name]);
      if (value !== undefined) found[name] = value;
    }
    return found;
  };
}

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/overview/overview-page.tsx"), "OverviewPage"),
});
const start = createRoute({
  getParentRoute: () => root,
  path: "/start",
  beforeLoad: () => {
    // The router's way to lead elsewhere.
    // oxlint-disable-next-line typescript/only-throw-error
    throw redirect({ to: "/" });
  },
});
const buckets = createRoute({
  getParentRoute: () => root,
  path: "/buckets",
  component: lazyRouteComponent(() => import("./pages/buckets/buckets-page.tsx"), "BucketsPage"),
});
const objects = createRoute({
  getParentRoute: () => root,
  path: "/buckets/$bucket",
  validateSearch: textSearch("prefix", "object"),
  component: lazyRouteComponent(() => import("./pages/objects/objects-page.tsx"), "ObjectsPage"),
});
const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: textSearch("name", "state"),
  component: lazyRouteComponent(() => import("./pages/runs/runs-page.tsx"), "RunsPage"),
});
const archivedRuns = createRoute({
  getParentRoute: () => root,
  path: "/archive/runs",
  component: lazyRouteComponent(() => import("./pages/runs/runs-page.tsx"), "ArchivedRunsPage"),
});
const newRun = createRoute({
  getParentRoute: () => root,
  path: "/runs/new",
  validateSearch: textSearch("pipelineId", "versionId", "experimentId", "cloneFrom"),
  component: lazyRouteComponent(() => import("./pages/runs/new-run-page.tsx"), "NewRunPage"),
});
const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/details/$runId",
  validateSearch: textSearch("task", "tab"),
  component: lazyRouteComponent(() => import("./pages/run/run-page.tsx"), "RunPage"),
});
const pipelines = createRoute({
  getParentRoute: () => root,
  path: "/pipelines",
  component: lazyRouteComponent(
    () => import("./pages/pipelines/pipelines-page.tsx"),
    "PipelinesPage",
  ),
});
const pipelinePage = lazyRouteComponent(
  () => import("./pages/pipelines/pipeline-page.tsx"),
  "PipelinePage",
);
const pipeline = createRoute({
  getParentRoute: () => root,
  path: "/pipelines/details/$pipelineId",
  component: pipelinePage,
});
const pipelineVersion = createRoute({
  getParentRoute: () => root,
  path: "/pipelines/details/$pipelineId/version/$versionId",
  component: pipelinePage,
});
const experiments = createRoute({
  getParentRoute: () => root,
  path: "/experiments",
  component: lazyRouteComponent(
    () => import("./pages/experiments/experiments-page.tsx"),
    "ExperimentsPage",
  ),
});
const experiment = createRoute({
  getParentRoute: () => root,
  path: "/experiments/details/$experimentId",
  component: lazyRouteComponent(
    () => import("./pages/experiments/experiment-page.tsx"),
    "ExperimentPage",
  ),
});
const artifacts = createRoute({
  getParentRoute: () => root,
  path: "/artifacts",
  component: lazyRouteComponent(
    () => import("./pages/artifacts/artifacts-page.tsx"),
    "ArtifactsPage",
  ),
});
const artifact = createRoute({
  getParentRoute: () => root,
  path: "/artifacts/$artifactId",
  component: lazyRouteComponent(
    () => import("./pages/artifacts/artifact-page.tsx"),
    "ArtifactPage",
  ),
});
const keys = createRoute({
  getParentRoute: () => root,
  path: "/keys",
  component: lazyRouteComponent(() => import("./pages/keys/keys-page.tsx"), "KeysPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    start,
    buckets,
    objects,
    runs,
    archivedRuns,
    newRun,
    run,
    pipelines,
    pipeline,
    pipelineVersion,
    experiments,
    experiment,
    artifacts,
    artifact,
    keys,
  ]),
  history: createHashHistory(),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
