"""The events of pipeline executions and their steps, in the shape that AWS documents."""

from datetime import datetime
from typing import Any

from embedded.front.events import EventSink
from embedded.sagemaker.store import Record

_PREFIX = "SageMaker Model Building Pipeline Execution"


class PipelineEvents:
    """Says on the bus how an execution and its steps fare."""

    def __init__(self, *, events: EventSink) -> None:
        self._events = events

    def execution(self, record: Record, *, previous: str | None) -> None:
        """An execution changed its status."""
        status = record["PipelineExecutionStatus"]
        ended = status in ("Succeeded", "Failed", "Stopped")
        self._put(
            f"{_PREFIX} Status Change",
            record,
            {
                "pipelineExecutionDescription": record.get("PipelineExecutionDescription"),
                "pipelineExecutionDisplayName": record["PipelineExecutionDisplayName"],
                "currentPipelineExecutionStatus": status,
                "previousPipelineExecutionStatus": previous,
                "executionStartTime": _iso(record["CreationTime"]),
                "executionEndTime": _iso(record["LastModifiedTime"]) if ended else None,
            },
        )

    def step(self, record: Record, step: Record, *, kind: str, previous: str | None) -> None:
        """A step changed its status."""
        self._put(
            f"{_PREFIX} Step Status Change",
            record,
            {
                "metadata": {_camel(name): _metadata(value) for name, value in step["Metadata"].items()}
                if "Metadata" in step
                else {},
                "stepStartTime": _iso(step.get("StartTime")),
                "stepEndTime": _iso(step.get("EndTime")),
                "stepName": step["StepName"],
                "stepType": kind,
                "failureReason": step.get("FailureReason"),
                "previousStepStatus": previous,
                "currentStepStatus": step["StepStatus"],
            },
        )

    def _put(self, detail_type: str, record: Record, detail: dict[str, Any]) -> None:
        arns = {
            "pipelineArn": record["PipelineArn"],
            "pipelineExecutionArn": record["PipelineExecutionArn"],
        }
        self._events(
            source="aws.sagemaker",
            detail_type=detail_type,
            detail={key: value for key, value in {**detail, **arns}.items() if value is not None},
            resources=list(arns.values()),
        )


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    return {_camel(key): item for key, item in value.items()}


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
