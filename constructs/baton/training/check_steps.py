"""The steps that analyse with containers of AWS's."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from baton.training.jobs import ProcessingJob
from baton.training.references import StepProperty, Value
from baton.training.steps import Step


@dataclass(frozen=True, kw_only=True)
class CheckStep(Step):
    """An analysis by a container of AWS's, whose result becomes the baseline of the version.

    It checks nothing against an earlier baseline: the gate decides, for both backends alike.
    """

    job: ProcessingJob
    group_name: str

    def arguments(self) -> dict[str, Any]:
        """The CreateProcessingJob request of the analysis."""
        return self.job.render()

    def extras(self) -> dict[str, Any]:
        """What is checked, and what becomes of the result."""
        return {
            "ModelPackageGroupName": self.group_name,
            "SkipCheck": True,
            "FailOnViolation": False,
            "RegisterNewBaseline": True,
        }

    @property
    def constraints(self) -> StepProperty:
        """The S3 URI of the constraints it calculated."""
        return StepProperty(self.name, "CalculatedBaselineConstraints")


@dataclass(frozen=True, kw_only=True)
class QualityCheckStep(CheckStep):
    """Profiles a dataset with the container of Model Monitor."""

    type: ClassVar[str] = "QualityCheck"

    check: Literal["DATA_QUALITY", "MODEL_QUALITY"]

    def extras(self) -> dict[str, Any]:
        """What is checked, and what becomes of the result."""
        return {**super().extras(), "CheckType": self.check}

    @property
    def statistics(self) -> StepProperty:
        """The S3 URI of the statistics it calculated."""
        return StepProperty(self.name, "CalculatedBaselineStatistics")


@dataclass(frozen=True, kw_only=True)
class ClarifyCheckStep(CheckStep):
    """Measures bias or attributions with the container of Clarify, asking a shadow endpoint of `model_name`."""

    type: ClassVar[str] = "ClarifyCheck"

    check: Literal["DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"]
    model_name: Value | None = None

    def extras(self) -> dict[str, Any]:
        """What is checked, and what becomes of the result."""
        model = {} if self.model_name is None else {"ModelName": self.model_name}
        return {**super().extras(), "CheckType": self.check, **model}
