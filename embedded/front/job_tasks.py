"""Step Functions' tasks that start a job and wait for it, which ministack lacks."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from ministack.services import stepfunctions

from embedded.front.clients import Clients

LOOK_EVERY_S = 0.25


@dataclass(frozen=True, kw_only=True)
class JobTask:
    """One optimised integration.

    Attributes:
        action: What follows `arn:aws:states:::`.
        error: What its errors' names begin with.
        start: The client's method that starts a job.
        look: Describes the job that was started, from the client, the parameters and the answer to `start`.
        status: The member that says how the job is.
        succeeded: The status of a job that went well.
        under_way: The statuses of a job that has not ended.
    """

    action: str
    error: str
    start: str
    look: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
    status: str
    succeeded: str
    under_way: tuple[str, ...]

    @property
    def service(self) -> str:
        """boto3's name of the service."""
        return self.action.partition(":")[0]

    def run(self, client: Any, parameters: dict[str, Any], *, wait: bool) -> dict[str, Any]:
        """Start a job; with `wait`, answer it as it ended."""
        try:
            answer = getattr(client, self.start)(**parameters)
        except ClientError as error:
            detail = error.response["Error"]
            raise stepfunctions._ExecutionError(f"{self.error}.{detail['Code']}", detail["Message"]) from error
        answer.pop("ResponseMetadata", None)
        return self._wait(client, parameters, answer) if wait else dict(answer)

    def _wait(self, client: Any, parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        """The job as it ended; one that did not succeed is an error, whose cause is the job."""
        while True:
            job = self.look(client, parameters, answer)
            if job[self.status] not in self.under_way:
                break
            time.sleep(LOOK_EVERY_S)
        job.pop("ResponseMetadata", None)
        told: dict[str, Any] = json.loads(json.dumps(job, default=lambda moment: int(moment.timestamp() * 1000)))
        if job[self.status] != self.succeeded:
            raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(told))
        return told


TASKS = (
    JobTask(
        action="glue:startJobRun",
        error="Glue",
        start="start_job_run",
        look=lambda glue, given, run: glue.get_job_run(JobName=given["JobName"], RunId=run["JobRunId"])["JobRun"],
        status="JobRunState",
        succeeded="SUCCEEDED",
        under_way=("STARTING", "RUNNING", "STOPPING", "WAITING"),
    ),
    JobTask(
        action="sagemaker:createTransformJob",
        error="SageMaker",
        start="create_transform_job",
        look=lambda sagemaker, given, _: sagemaker.describe_transform_job(TransformJobName=given["TransformJobName"]),
        status="TransformJobStatus",
        succeeded="Completed",
        under_way=("InProgress", "Stopping"),
    ),
)


def install(clients: Clients) -> None:
    """Answer each task and, with `.sync`, only when its job has ended."""
    for task in TASKS:
        stepfunctions._SERVICE_DISPATCH[f"arn:aws:states:::{task.action}"] = _handler(task, clients)


def _handler(task: JobTask, clients: Clients) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    def handle(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
        return task.run(clients(task.service), parameters, wait=resource.endswith(".sync"))

    return handle
