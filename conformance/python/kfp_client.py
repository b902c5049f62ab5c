"""Calls every method of kfp.Client and of the generated services against a server, one check each.

Usage: kfp_client.py URL. Exit status 0 when all checks ran, whatever they found. Steps are not judged here: the server
under test may carry them out as it likes, as long as steps named "fail" fail and steps named "wait" go on until they
are terminated.
"""

import json
import os
import sys
import tempfile

import kfp
import kfp_server_api
from checks import check, names, raises, refused, run_checks
from kfp import compiler, dsl

URL = sys.argv[1]
FOLDER = tempfile.mkdtemp()


@dsl.component
def step(count: int) -> int:
    return count + 1


@dsl.component
def fail():
    raise ValueError("on purpose")


@dsl.component
def wait():
    import time
    time.sleep(3600)


@dsl.pipeline(name="counting", description="Counts")
def counting(count: int = 1):
    step(count=count)


@dsl.pipeline(name="failing")
def failing():
    fail().set_caching_options(False)


@dsl.pipeline(name="waiting")
def waiting():
    wait().set_caching_options(False)


def compiled(pipeline, name, suffix=".yaml"):
    path = os.path.join(FOLDER, name + suffix)
    compiler.Compiler().compile(pipeline, path)
    return path


COUNTING = compiled(counting, "counting")
client = None
state = {}

@check("Client")
def _():
    global client
    client = kfp.Client(host=URL)


@check("get_kfp_healthz")
def _():
    health = client.get_kfp_healthz()
    assert not health.multi_user
    assert health.pipeline_store == "database"


@check("get_user_namespace")
def _():
    assert client.get_user_namespace() == ""


@check("create_experiment")
def _():
    first = client.create_experiment("exp", description="An experiment", namespace="kubeflow")
    assert first.display_name == "exp" and first.description == "An experiment"
    assert client.create_experiment("exp").experiment_id == first.experiment_id
    state["experiment"] = first.experiment_id


@check("get_experiment")
def _():
    by_id = client.get_experiment(experiment_id=state["experiment"])
    by_name = client.get_experiment(experiment_name="exp")
    assert by_id.experiment_id == by_name.experiment_id == state["experiment"]
    assert by_id.storage_state == "AVAILABLE"
    raises(ValueError, lambda: client.get_experiment(experiment_name="nobody"))
    assert refused(404, lambda: client.get_experiment(experiment_id="nobody"))["code"] == 5


@check("list_experiments")
def _():
    page = client.list_experiments(sort_by="name desc", page_size=1)
    assert names(page.experiments) == ["exp"] and page.total_size == 2
    rest = client.list_experiments(sort_by="name desc", page_size=1, page_token=page.next_page_token)
    assert names(rest.experiments) == ["Default"] and not rest.next_page_token


@check("archive_experiment")
def _():
    client.archive_experiment(state["experiment"])
    assert client.get_experiment(experiment_id=state["experiment"]).storage_state == "ARCHIVED"


@check("unarchive_experiment")
def _():
    client.unarchive_experiment(state["experiment"])
    assert client.get_experiment(experiment_id=state["experiment"]).storage_state == "AVAILABLE"


@check("upload_pipeline")
def _():
    plain = client.upload_pipeline(COUNTING)
    assert plain.display_name == "counting"
    named = client.upload_pipeline(
        compiled(counting, "counting2"), pipeline_name="named", description="A text")
    assert named.display_name == "named" and named.description == "A text"
    assert refused(409, lambda: client.upload_pipeline(COUNTING))["error_message"]
    state["pipeline"] = plain.pipeline_id


@check("upload_pipeline (json, zip)")
def _():
    import zipfile
    spec = compiled(counting, "plain", ".json")
    archive = os.path.join(FOLDER, "counting.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(COUNTING, "pipeline.yaml")
    uploaded = [client.upload_pipeline(spec, pipeline_name="from-json"),
                client.upload_pipeline(archive, pipeline_name="from-zip")]
    for pipeline in uploaded:
        [version] = client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions
        assert version.pipeline_spec["pipelineInfo"]["name"] == "counting"


@check("upload_pipeline_from_pipeline_func")
def _():
    made = client.upload_pipeline_from_pipeline_func(counting, pipeline_name="from-func")
    assert made.display_name == "from-func"


@check("get_pipeline_id")
def _():
    assert client.get_pipeline_id("counting") == state["pipeline"]
    assert client.get_pipeline_id("nobody") is None


@check("get_pipeline")
def _():
    pipeline = client.get_pipeline(state["pipeline"])
    assert pipeline.display_name == "counting" and pipeline.created_at
    assert refused(404, lambda: client.get_pipeline("nobody"))["code"] == 5


@check("list_pipelines")
def _():
    one_filter = json.dumps({"predicates": [
        {"operation": "IS_SUBSTRING", "key": "name", "stringValue": "from"}]})
    page = client.list_pipelines(page_size=2, sort_by="display_name", filter=one_filter)
    assert names(page.pipelines) == ["from-func", "from-json"] and page.total_size == 3
    rest = client.list_pipelines(
        page_size=2, sort_by="display_name", filter=one_filter, page_token=page.next_page_token)
    assert names(rest.pipelines) == ["from-zip"]
    refused(400, lambda: client.list_pipelines(page_token=page.next_page_token))


@check("upload_pipeline_version")
def _():
    by_id = client.upload_pipeline_version(
        COUNTING, "v2", pipeline_id=state["pipeline"], description="Second")
    by_name = client.upload_pipeline_version(COUNTING, "v3", pipeline_name="counting")
    assert by_id.pipeline_id == by_name.pipeline_id == state["pipeline"]
    assert by_id.display_name == "v2" and by_id.description == "Second"
    refused(409, lambda: client.upload_pipeline_version(COUNTING, "v2", state["pipeline"]))
    refused(404, lambda: client.upload_pipeline_version(COUNTING, "v2", "nobody"))
    state["version"] = by_id.pipeline_version_id


@check("upload_pipeline_version_from_pipeline_func")
def _():
    made = client.upload_pipeline_version_from_pipeline_func(
        counting, "v4", pipeline_id=state["pipeline"])
    assert made.display_name == "v4"


@check("list_pipeline_versions")
def _():
    page = client.list_pipeline_versions(state["pipeline"], sort_by="created_at desc")
    assert names(page.pipeline_versions) == ["v4", "v3", "v2", "counting"]


@check("get_pipeline_version")
def _():
    version = client.get_pipeline_version(state["pipeline"], state["version"])
    assert version.display_name == "v2"
    assert version.pipeline_spec["schemaVersion"] == "2.1.0"


@check("run_pipeline (package)")
def _():
    run = client.run_pipeline(
        state["experiment"], "from package", COUNTING, params={"count": 5},
        pipeline_root="s3://mlpipeline/elsewhere", service_account="me")
    assert run.display_name == "from package" and run.experiment_id == state["experiment"]
    assert run.runtime_config.parameters == {"count": 5}
    assert run.runtime_config.pipeline_root == "s3://mlpipeline/elsewhere"
    assert run.service_account == "me"
    state["run"] = run.run_id


@check("run_pipeline (version)")
def _():
    run = client.run_pipeline(
        state["experiment"], "from version", pipeline_id=state["pipeline"],
        version_id=state["version"], enable_caching=False)
    assert run.pipeline_version_reference.pipeline_version_id == state["version"]
    assert run.pipeline_spec is None
    done = client.wait_for_run_completion(run.run_id, 60, sleep_duration=0.1)
    assert done.state == "SUCCEEDED", done.error


@check("get_run")
def _():
    run = client.get_run(state["run"])
    assert run.pipeline_spec["pipelineInfo"]["name"] == "counting"
    assert refused(404, lambda: client.get_run("nobody"))["code"] == 5


@check("wait_for_run_completion")
def _():
    run = client.wait_for_run_completion(state["run"], 60, sleep_duration=0.1)
    assert run.state == "SUCCEEDED", run.error
    tasks = {task.display_name: task for task in run.run_details.task_details}
    assert tasks["step"].state == "SUCCEEDED" and tasks["step"].end_time
    assert run.finished_at >= run.created_at


@check("create_run_from_pipeline_package")
def _():
    result = client.create_run_from_pipeline_package(COUNTING, arguments={"count": 2})
    run = result.wait_for_run_completion(60)
    assert run.state == "SUCCEEDED", run.error
    default = client.get_experiment(experiment_name="Default")
    assert run.experiment_id == default.experiment_id


@check("create_run_from_pipeline_func")
def _():
    result = client.create_run_from_pipeline_func(
        counting, arguments={"count": 3}, run_name="mine", experiment_name="exp")
    assert result.run_info.display_name == "mine"
    assert result.wait_for_run_completion(60).state == "SUCCEEDED"
    refused(400, lambda: client.create_run_from_pipeline_func(
        counting, arguments={"count": "text"}, experiment_name="exp"))


@check("list_runs")
def _():
    page = client.list_runs(experiment_id=state["experiment"], sort_by="created_at desc")
    assert names(page.runs) == ["mine", "from version", "from package"], names(page.runs)
    done = json.dumps({"predicates": [{"operation": 1, "key": "state", "stringValue": "SUCCEEDED"}]})
    assert client.list_runs(filter=done).total_size == 4
    assert client.list_runs(namespace="kubeflow").total_size == 4


@check("archive_run")
def _():
    client.archive_run(state["run"])
    assert client.get_run(state["run"]).storage_state == "ARCHIVED"


@check("unarchive_run")
def _():
    client.unarchive_run(state["run"])
    assert client.get_run(state["run"]).storage_state == "AVAILABLE"


@check("terminate_run")
def _():
    result = client.create_run_from_pipeline_func(waiting, experiment_name="exp")
    client.terminate_run(result.run_id)
    run = client.wait_for_run_completion(result.run_id, 60, sleep_duration=0.1)
    assert run.state == "FAILED", run.state
    client.terminate_run(result.run_id)


@check("runs.run_service_retry_run")
def _():
    result = client.create_run_from_pipeline_func(failing, experiment_name="exp")
    run = client.wait_for_run_completion(result.run_id, 60, sleep_duration=0.1)
    assert run.state == "FAILED" and run.error.message
    client.runs.run_service_retry_run(run_id=result.run_id)
    again = client.wait_for_run_completion(result.run_id, 60, sleep_duration=0.1)
    assert again.state == "FAILED"
    refused(400, lambda: client.runs.run_service_retry_run(run_id=state["run"]))


@check("delete_run")
def _():
    client.delete_run(state["run"])
    refused(404, lambda: client.get_run(state["run"]))


@check("pipelines.pipeline_service_create_pipeline")
def _():
    made = client.pipelines.pipeline_service_create_pipeline(
        kfp_server_api.V2beta1Pipeline(display_name="bare", name="bare", tags={"team": "a"}))
    assert made.name == "bare" and made.tags == {"team": "a"}
    state["bare"] = made.pipeline_id


@check("pipelines.pipeline_service_get_pipeline_by_name")
def _():
    found = client.pipelines.pipeline_service_get_pipeline_by_name("bare", namespace="kubeflow")
    assert found.pipeline_id == state["bare"]
    refused(404, lambda: client.pipelines.pipeline_service_get_pipeline_by_name("nobody"))


@check("pipelines.pipeline_service_update_pipeline")
def _():
    body = kfp_server_api.V2beta1Pipeline(display_name="Bare", tags={"team": "b"})
    changed = client.pipelines.pipeline_service_update_pipeline(state["bare"], body)
    assert changed.display_name == "Bare" and changed.name == "bare"
    tagged = json.dumps({"predicates": [
        {"operation": "EQUALS", "key": "tags.team", "stringValue": "b"}]})
    assert names(client.list_pipelines(filter=tagged).pipelines) == ["Bare"]


@check("pipelines.pipeline_service_update_pipeline_version")
def _():
    body = kfp_server_api.V2beta1PipelineVersion(display_name="Second")
    changed = client.pipelines.pipeline_service_update_pipeline_version(
        state["pipeline"], state["version"], body)
    assert changed.display_name == "Second" and changed.name == "v2"


@check("pipeline_uploads.upload_pipeline (tags)")
def _():
    made = client.pipeline_uploads.upload_pipeline(
        COUNTING, name="tagged", display_name="Tagged", tags=json.dumps({"a": "b"}))
    assert made.name == "tagged" and made.display_name == "Tagged" and made.tags == {"a": "b"}
    long_tag = json.dumps({"a": "x" * 64})
    refused(400, lambda: client.pipeline_uploads.upload_pipeline(COUNTING, name="t2", tags=long_tag))
    refused(400, lambda: client.pipeline_uploads.upload_pipeline(COUNTING, name="t3", tags="{"))


@check("delete_pipeline_version")
def _():
    client.delete_pipeline_version(state["pipeline"], state["version"])
    refused(404, lambda: client.get_pipeline_version(state["pipeline"], state["version"]))


@check("delete_pipeline")
def _():
    refused(400, lambda: client.delete_pipeline(state["pipeline"]))
    client.delete_pipeline(state["bare"])
    refused(404, lambda: client.get_pipeline(state["bare"]))


@check("pipelines.pipeline_service_delete_pipeline (cascade)")
def _():
    client.pipelines.pipeline_service_delete_pipeline(state["pipeline"], cascade=True)
    refused(404, lambda: client.get_pipeline(state["pipeline"]))


@check("delete_experiment")
def _():
    client.delete_experiment(state["experiment"])
    refused(404, lambda: client.get_experiment(experiment_id=state["experiment"]))


@check("recurring runs are refused plainly")
def _():
    answer = refused(501, lambda: client.list_recurring_runs())
    assert answer["code"] == 12


run_checks()
