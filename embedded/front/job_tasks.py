"""Step Functions' task that starts a Glue job and waits for it, which ministack lacks."""

import json
import time
from typing import Any

from botocore.exceptions import ClientError
from ministack.services import stepfunctions

from embedded.front.clients import Clients

RESOURCE = "arn:aws:states:::glue:startJobRun"
ENDED = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"}
LOOK_EVERY_S = 0.25


def install(clients: Clients) -> None:
    """Answer the task `glue:startJobRun` and, with `.sync`, only when the run has ended."""

    def start(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
        glue = clients("glue")
        try:
            answer: dict[str, Any] = glue.start_job_run(**parameters)
        except ClientError as error:
            detail = error.response["Error"]
            raise stepfunctions._ExecutionError(f"Glue.{detail['Code']}", detail["Message"]) from error
        if not resource.endswith(".sync"):
            return {"JobRunId": answer["JobRunId"]}
        return _wait(glue, parameters["JobName"], answer["JobRunId"])

    stepfunctions._SERVICE_DISPATCH[RESOURCE] = start


def _wait(glue: Any, job: str, run_id: str) -> dict[str, Any]:
    """The run as it ended; one that did not succeed is an error, whose cause is the run."""
    while True:
        run = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
        if run["JobRunState"] in ENDED:
            break
        time.sleep(LOOK_EVERY_S)
    told: dict[str, Any] = json.loads(json.dumps(run, default=lambda moment: int(moment.timestamp() * 1000)))
    if run["JobRunState"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(told))
    return told
