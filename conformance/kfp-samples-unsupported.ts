/** Samples that are not run to their end, with the reason. */
export const UNSUPPORTED: Readonly<Record<string, string>> = {
  "critical/modelcar.yaml": "needs a model image from a container registry",
  "critical/pipeline_with_artifact_upload_download.yaml": "downloads a data set from the internet",
};

/** Samples whose packages come from a package index: run only with `KELP_TEST_INDEX=1`. */
export const NEEDS_INDEX: ReadonlySet<string> = new Set([
  "critical/notebook_component_simple.yaml",
  "essential/iris_pipeline_compiled.yaml",
]);
