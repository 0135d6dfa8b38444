"""What is told of a pipeline execution and its steps, in the words of the SageMaker API."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class StepState:
    """One step at one moment.

    Attributes:
        status: `Starting`, `Executing`, `Stopping`, `Stopped`, `Succeeded` or `Failed`.
        metadata: What kind of thing the step made, for example `{"ProcessingJob": {"Arn": …}}`.
    """

    name: str
    type: str
    status: str
    start: datetime
    display_name: str | None = None
    description: str | None = None
    end: datetime | None = None
    failure_reason: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    attempt_count: int = 1

    def as_listed(self) -> dict[str, Any]:
        """The step as ListPipelineExecutionSteps shows it."""
        optional = {
            "StepDisplayName": self.display_name,
            "StepDescription": self.description,
            "EndTime": self.end,
            "FailureReason": self.failure_reason,
        }
        return {
            "StepName": self.name,
            "StartTime": self.start,
            "StepStatus": self.status,
            "AttemptCount": self.attempt_count,
            "Metadata": self.metadata,
            **{key: value for key, value in optional.items() if value is not None},
        }


@dataclass(frozen=True, kw_only=True)
class PipelineResult:
    """How an execution ended: `Succeeded`, `Failed` or `Stopped`, and why."""

    status: str
    failure_reason: str | None
    steps: tuple[StepState, ...]
