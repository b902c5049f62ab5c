"""Checks of one client against one server: run in order, each reported as one line of JSON."""

import json
import traceback

import kfp_server_api

CHECKS = []


def check(method):
    """Registers a check for one method of a client."""

    def register(work):
        CHECKS.append((method, work))
        return work

    return register


def run_checks():
    """Runs all checks; a failed one is a finding, not an end."""
    for method, work in CHECKS:
        failure = None
        try:
            work()
        except Exception:  # noqa: BLE001 - every failure is a finding
            failure = traceback.format_exc()
        print("CHECK " + json.dumps({"method": method, "failure": failure}), flush=True)


def refused(status, work):
    """Does `work`, which must be refused with this HTTP status, and gives the refusal's JSON."""
    try:
        work()
    except kfp_server_api.ApiException as error:
        assert error.status == status, f"refused with {error.status}, expected {status}"
        return json.loads(error.body)
    raise AssertionError(f"not refused, expected {status}")


def raises(kind, work):
    """Does `work`, which must raise this kind of error in the client itself."""
    try:
        work()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__} was raised")


def names(items):
    return [item.display_name for item in items or []]
