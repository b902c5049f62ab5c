/** Samples that are not expected to end as the reference does, with the reason. */
export const UNSUPPORTED: Readonly<Record<string, string>> = {
  "critical/modelcar.yaml": "needs a model image from a container registry",
  "critical/notebook_component_simple.yaml":
    "needs notebook packages that are not part of the test environment",
  "critical/pipeline_with_artifact_upload_download.yaml": "downloads a data set from the internet",
  "essential/iris_pipeline_compiled.yaml":
    "needs package versions that are not part of the test environment",
};
