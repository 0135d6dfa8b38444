"""Training: the pipeline's executions and their steps."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.errors import BatonError
from cli.functions import invoke
from cli.stacks import Platform
from cli.waiting import wait_for

ENDED = {"Succeeded", "Failed", "Stopped"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of an execution. Times are None while it has not begun or ended."""

    name: str
    type: str
    status: str
    started: datetime | None
    ended: datetime | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution of the training pipeline, its steps in the order they began."""

    arn: str
    status: str
    started: datetime
    reason: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """The state in a few words, for a message about waiting."""
        running = [step.name for step in self.steps if step.status in ("Starting", "Executing")]
        return f"{self.status} ({', '.join(running)})" if running else self.status


def start(platform: Platform, *, reason: str, author: str | None) -> str:
    """Ask for a training; returns the execution's ARN.

    Raises:
        BatonError: The platform declined, and says why.
    """
    event = {"reason": reason, **({"author": author} if author else {})}
    answer = invoke(platform, platform.output("training", "StartTrainingFunctionName"), event)
    if not answer.get("started"):
        raise BatonError(f"training was not started: {answer.get('why', 'no reason given')}")
    return str(answer["execution_arn"])


def execution(platform: Platform, arn: str) -> Execution:
    """An execution as it stands now."""
    client = platform.client("sagemaker")
    described = client.describe_pipeline_execution(PipelineExecutionArn=arn)
    pages = client.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    return Execution(
        arn=arn,
        status=described["PipelineExecutionStatus"],
        started=described["CreationTime"],
        reason=described.get("FailureReason", ""),
        steps=tuple(_step(step) for page in pages for step in page["PipelineExecutionSteps"]),
    )


def executions(platform: Platform, *, limit: int = 10) -> list[str]:
    """The ARNs of the newest executions, newest first."""
    answer = platform.client("sagemaker").list_pipeline_executions(
        PipelineName=platform.output("training", "PipelineName"),
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=limit,
    )
    return [summary["PipelineExecutionArn"] for summary in answer["PipelineExecutionSummaries"]]


def wait(
    platform: Platform,
    arn: str,
    *,
    seconds: float = 7200,
    every: float = 2.0,
    meanwhile: Callable[[Execution], None] = lambda execution: None,
) -> Execution:
    """Wait until an execution has succeeded.

    Raises:
        BatonError: It did not.
    """
    ended = wait_for(
        lambda: execution(platform, arn),
        until=lambda present: present.status in ENDED,
        what=f"pipeline execution {arn.rsplit('/', 1)[-1]}",
        seconds=seconds,
        every=every,
        meanwhile=meanwhile,
    )
    if ended.status != "Succeeded":
        failed = next((step for step in ended.steps if step.status == "Failed"), None)
        why = f"step {failed.name}: {failed.reason}" if failed else ended.reason or "no reason given"
        raise BatonError(f"pipeline execution {arn.rsplit('/', 1)[-1]} ended {ended.status}: {why}")
    return ended


def _step(step: dict[str, Any]) -> Step:
    return Step(
        name=step["StepName"],
        type=next(iter(step.get("Metadata", {})), ""),
        status=step["StepStatus"],
        started=step.get("StartTime"),
        ended=step.get("EndTime"),
        reason=step.get("FailureReason", ""),
    )
