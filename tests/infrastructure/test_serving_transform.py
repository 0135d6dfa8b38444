"""The batch's workflow, run as it is synthesised against a SageMaker that answers what the test says."""

from collections.abc import Sequence
from typing import Any

import pytest
from botocore.validate import ParamValidator

from baton.foundation.workflow import MOST_LOOKS
from tests.conftest import Assembly
from tests.infrastructure.api_arguments import SERVICE
from tests.runtime.state_machine import Machine, TaskFailed, written

STARTED = "2026-11-29T04:00:07.123Z"
LOOKS = 90 * 60 // 15  # max_runtime_minutes of the sample, every poll_seconds of the environment


class SageMaker:
    """Takes one job, and tells how it stands: the statuses given, the last one for ever."""

    def __init__(self, statuses: Sequence[str], *, busy: int = 0) -> None:
        self._statuses = list(statuses)
        self._busy = busy
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, resource: str, given: dict[str, Any]) -> dict[str, Any]:
        action = resource.rpartition(":")[2]
        self.calls.append((action, given))
        if action == "createTransformJob" and self._busy:
            self._busy -= 1
            raise TaskFailed("SageMaker.ResourceLimitExceededException", "no instance is left")
        if action != "describeTransformJob":
            return {}
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        return {"TransformJobName": given["TransformJobName"], "TransformJobStatus": status}

    def asked(self, action: str) -> list[dict[str, Any]]:
        return [given for called, given in self.calls if called == action]


@pytest.fixture(scope="module")
def definition(kinds_in_prod: Assembly) -> dict[str, Any]:
    resources = kinds_in_prod.stack("prod", "batch-serving")["Resources"].values()
    [machine] = [r["Properties"] for r in resources if r["Type"] == "AWS::StepFunctions::StateMachine"]
    return written(machine["DefinitionString"])


def run(definition: dict[str, Any], sagemaker: SageMaker) -> tuple[str, Any]:
    """The last state, and what the workflow then held."""
    machine = Machine(definition, task=sagemaker, sleep=lambda seconds: None)
    *_, last = machine.run({"Execution": {"StartTime": STARTED}}, {"model_name": "the-model"})
    return last, machine.data


def test_a_job_is_named_after_the_moment_and_followed_to_its_end(definition: dict[str, Any]) -> None:
    sagemaker = SageMaker(["InProgress", "InProgress", "Completed"])
    assert run(definition, sagemaker)[0] == "Done"
    [request] = sagemaker.asked("createTransformJob")
    assert request["TransformJobName"] == "baton-prod-batch-20261129040007"
    assert request["ModelName"] == "the-model"
    assert request["TransformOutput"]["S3OutputPath"].endswith("/batch/batch/answers/baton-prod-batch-20261129040007/")
    assert len(sagemaker.asked("describeTransformJob")) == 3


def test_sagemaker_would_accept_the_request(definition: dict[str, Any]) -> None:
    sagemaker = SageMaker(["Completed"])
    run(definition, sagemaker)
    [request] = sagemaker.asked("createTransformJob")
    shape = SERVICE.operation_model("CreateTransformJob").input_shape
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()
    assert request["TransformResources"]["InstanceCount"] == 2
    assert ParamValidator().validate({**request, "BatchStrateg": "MultiRecord"}, shape).has_errors()


def test_the_longest_name_there_is_leaves_room_for_the_moment() -> None:
    longest = f"baton-staging-{'m' * 31}-20261129040007"
    assert len(longest) <= SERVICE.shape_for("TransformJobName").metadata["max"]


def test_a_job_that_fails_fails_the_run_with_its_name(definition: dict[str, Any]) -> None:
    last, cause = run(definition, SageMaker(["InProgress", "Failed"]))
    assert (last, cause) == ("NotTransformed", "baton-prod-batch-20261129040007 ended Failed")


def test_a_job_that_takes_too_long_is_stopped(definition: dict[str, Any]) -> None:
    sagemaker = SageMaker(["InProgress"])
    last, cause = run(definition, sagemaker)
    assert (last, cause) == ("TookTooLong", "baton-prod-batch-20261129040007 took longer than 90 minutes")
    assert sagemaker.asked("stopTransformJob") == [{"TransformJobName": "baton-prod-batch-20261129040007"}]
    assert len(sagemaker.asked("describeTransformJob")) == LOOKS


def test_the_history_of_the_longest_run_has_room_for_every_look(definition: dict[str, Any]) -> None:
    events_of_a_look = 11  # Wait, Look, Ended, Late and Count: entered and left, and a task scheduled, started, done
    assert MOST_LOOKS * events_of_a_look < 25_000
    assert LOOKS <= MOST_LOOKS and definition["States"]["Wait"]["Seconds"] == 15


def test_a_job_that_finds_no_machine_is_asked_for_again_by_the_same_name(definition: dict[str, Any]) -> None:
    sagemaker = SageMaker(["Completed"], busy=2)
    assert run(definition, sagemaker)[0] == "Done"
    assert len({given["TransformJobName"] for given in sagemaker.asked("createTransformJob")}) == 1
    assert len(sagemaker.asked("createTransformJob")) == 3
