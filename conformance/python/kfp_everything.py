"""Compiles, uploads and runs a pipeline with artifacts, a condition, a loop and an exit handler; reads outputs through S3."""

import json
import os
import tempfile

import boto3
import kfp
from kfp import compiler, dsl


@dsl.component
def make_report(rows: int, report: dsl.Output[dsl.Markdown], metrics: dsl.Output[dsl.Metrics]) -> str:
    print("making the report")
    with open(report.path, "w") as handle:
        handle.write("# Report\n\n" + "\n".join(f"- row {n}" for n in range(rows)))
    metrics.log_metric("rows", rows)
    return "long" if rows > 2 else "short"


@dsl.component
def count_lines(report: dsl.Input[dsl.Markdown]) -> int:
    with open(report.path) as handle:
        return len(handle.read().splitlines())


@dsl.component
def square(n: int) -> int:
    print(f"{n} squared is {n * n}")
    return n * n


@dsl.component
def add(values: list) -> int:
    return sum(values)


@dsl.component
def clean_up():
    print("cleaned up")


@dsl.pipeline(name="everything-at-once")
def everything(rows: int = 3) -> int:
    last = clean_up().set_caching_options(False)
    with dsl.ExitHandler(last, name="guard"):
        made = make_report(rows=rows)
        with dsl.If(made.outputs["Output"] == "long"):
            count_lines(report=made.outputs["report"])
        with dsl.If(made.outputs["Output"] == "short"):
            count_lines(report=made.outputs["report"]).set_display_name("never-runs")
    with dsl.ParallelFor([1, 2, 3], parallelism=2) as n:
        squared = square(n=n)
    return add(values=dsl.Collected(squared.output)).output


client = kfp.Client()
with tempfile.TemporaryDirectory() as folder:
    package = os.path.join(folder, "everything.yaml")
    compiler.Compiler().compile(everything, package)
    pipeline = client.upload_pipeline(package, pipeline_name="everything")
versions = client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions
experiment = client.create_experiment("conformance")
run = client.run_pipeline(
    experiment.experiment_id,
    "everything at once",
    pipeline_id=pipeline.pipeline_id,
    version_id=versions[0].pipeline_version_id,
    params={"rows": 4},
)
done = client.wait_for_run_completion(run.run_id, timeout=300, sleep_duration=1)
assert done.state == "SUCCEEDED", (done.state, done.error)
details = done.run_details.task_details
assert {"make-report", "count-lines", "square", "add", "clean-up"} <= {task.display_name for task in details}, details
assert sum(task.display_name == "square" for task in details) == 3

s3 = boto3.client("s3")
prefix = f"v2/artifacts/everything-at-once/{run.run_id}/"
keys = [item["Key"] for item in s3.list_objects_v2(Bucket="mlpipeline", Prefix=prefix)["Contents"]]
reports = [key for key in keys if key.endswith("/report")]
assert len(reports) == 1 and "/make-report/" in reports[0], keys
text = s3.get_object(Bucket="mlpipeline", Key=reports[0])["Body"].read().decode()
assert text.startswith("# Report") and text.endswith("- row 3")
print(json.dumps({"run_id": run.run_id, "pipeline_id": pipeline.pipeline_id}))
