"""Calls every method of kfp.kubeflow_client.PipelinesClient against a server, one check each.

Usage: kfp_kubeflow_client.py URL. Steps are as in kfp_client.py.
"""

import os
import sys
import tempfile

from checks import check, names, raises, refused, run_checks
from kfp import compiler, dsl
from kfp.kubeflow_client import KubernetesBackendConfig, PipelinesClient

URL = sys.argv[1]
FOLDER = tempfile.mkdtemp()


@dsl.component
def step(count: int) -> int:
    return count + 1


@dsl.component
def fail():
    raise ValueError("on purpose")


@dsl.pipeline(name="counting")
def counting(count: int = 1):
    step(count=count)


@dsl.pipeline(name="failing")
def failing():
    fail().set_caching_options(False)


COUNTING = os.path.join(FOLDER, "counting.yaml")
compiler.Compiler().compile(counting, COUNTING)
client = None
state = {}


def finished(run):
    return client.wait_for_run_status(
        run, status={"SUCCEEDED", "FAILED"}, timeout=60, polling_interval=1)


@check("PipelinesClient")
def _():
    global client
    client = PipelinesClient(KubernetesBackendConfig(base_url=URL))


@check("kfp_client")
def _():
    assert client.kfp_client.list_pipelines().pipelines is None


@check("upload_pipeline (new, version named)")
def _():
    version = client.upload_pipeline(counting, version="first", description="Counts")
    assert version.display_name == "first" and version.pipeline_id
    state["pipeline"] = version.pipeline_id


@check("upload_pipeline (known)")
def _():
    version = client.upload_pipeline(COUNTING, name="counting", version="second")
    assert version.pipeline_id == state["pipeline"] and version.display_name == "second"
    third = client.upload_pipeline(COUNTING, name="counting")
    assert third.pipeline_id == state["pipeline"]
    state["latest"] = third.pipeline_version_id


@check("get_pipeline")
def _():
    assert client.get_pipeline("counting").pipeline_id == state["pipeline"]
    raises(ValueError, lambda: client.get_pipeline("nobody"))


@check("get_pipeline_version")
def _():
    version = client.get_pipeline_version("counting", "second")
    assert version.display_name == "second" and version.pipeline_spec
    raises(ValueError, lambda: client.get_pipeline_version("counting", "nobody"))


@check("list_pipelines")
def _():
    client.upload_pipeline(COUNTING, name="another")
    page = client.list_pipelines(page_size=1)
    rest = client.list_pipelines(page_size=1, page_token=page.next_page_token)
    assert names(page.pipelines) + names(rest.pipelines) == ["counting", "another"]
    assert not rest.next_page_token


@check("list_pipeline_versions")
def _():
    page = client.list_pipeline_versions("counting", page_size=2)
    assert names(page.pipeline_versions) == ["first", "second"] and page.total_size == 3


@check("create_experiment")
def _():
    made = client.create_experiment("exp", description="An experiment")
    assert made.display_name == "exp"
    state["experiment"] = made.experiment_id


@check("get_experiment")
def _():
    assert client.get_experiment("exp").experiment_id == state["experiment"]
    raises(ValueError, lambda: client.get_experiment("nobody"))


@check("list_experiments")
def _():
    assert names(client.list_experiments().experiments) == ["Default", "exp"]


@check("run (name, latest version, default experiment)")
def _():
    run = client.run("counting", params={"count": 3}, name="latest")
    assert run.pipeline_version_reference.pipeline_version_id == state["latest"]
    assert finished(run).state == "SUCCEEDED"
    state["run"] = run.run_id


@check("run (name, version, experiment)")
def _():
    run = client.run("counting", version="second", experiment="exp")
    assert run.experiment_id == state["experiment"]
    assert finished(run.run_id).state == "SUCCEEDED"


@check("run (Pipeline, PipelineVersion)")
def _():
    for thing in [client.get_pipeline("counting"), client.get_pipeline_version("counting", "first")]:
        assert finished(client.run(thing)).state == "SUCCEEDED"


@check("run (function, file)")
def _():
    for thing in [counting, COUNTING]:
        run = client.run(thing, params={"count": 1}, experiment="exp")
        assert run.pipeline_spec["pipelineInfo"]["name"] == "counting"
        assert finished(run).state == "SUCCEEDED"


@check("get_run")
def _():
    run = client.get_run(state["run"])
    assert run.display_name == "latest" and run.runtime_config.parameters == {"count": 3}
    assert refused(404, lambda: client.get_run("nobody"))["code"] == 5


@check("list_runs")
def _():
    assert client.list_runs(experiment="exp").total_size == 3
    assert len(client.list_runs(pipeline="counting").runs) == 4
    assert client.list_runs(status="succeeded").total_size == 6
    assert client.list_runs(status="failed").runs is None


@check("wait_for_run_status (failed)")
def _():
    run = client.run(failing)
    ended = client.wait_for_run_status(
        run, status={"FAILED"}, timeout=60, polling_interval=1)
    assert ended.state == "FAILED" and ended.error.message


@check("delete_pipeline (version)")
def _():
    client.delete_pipeline("counting", version="second")
    raises(ValueError, lambda: client.get_pipeline_version("counting", "second"))


@check("delete_pipeline (force)")
def _():
    raises(ValueError, lambda: client.delete_pipeline("counting"))
    client.delete_pipeline("counting", force=True)
    raises(ValueError, lambda: client.get_pipeline("counting"))


@check("delete_experiment")
def _():
    client.delete_experiment("exp")
    assert names(client.list_experiments().experiments) == ["Default"]


run_checks()
