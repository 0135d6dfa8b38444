"""The steps of a pipeline, as typed values. `definition` checks that they fit together and spells them out."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from baton.training.jobs import Network, ProcessingJob, TrainingJob
from baton.training.packages import ModelPackage
from baton.training.references import Expression, JsonGet, StepProperty, Value

STEP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Retry:
    """When a step is tried again: `attempts` times at most, each after a wait that grows by `backoff`."""

    exceptions: tuple[str, ...]
    interval_seconds: int
    backoff: float
    attempts: int

    def render(self) -> dict[str, Any]:
        """One of the RetryPolicies of a step."""
        return {
            "ExceptionType": list(self.exceptions),
            "IntervalSeconds": self.interval_seconds,
            "BackoffRate": self.backoff,
            "MaxAttempts": self.attempts,
        }


@dataclass(frozen=True, kw_only=True)
class Step(ABC):
    """One step. It waits for the steps in `depends_on` besides those whose output it uses.

    `cache_for` (an ISO 8601 duration) lets an execution take the result of an earlier one whose inputs, code and
    environment were the same.
    """

    type: ClassVar[str]

    name: str
    depends_on: tuple[str, ...] = ()
    retries: tuple[Retry, ...] = ()
    cache_for: str | None = None

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """The request of this step, whose values may be expressions."""

    def extras(self) -> dict[str, Any]:
        """What this type of step has beside its arguments."""
        return {}

    def branches(self) -> tuple[tuple["Step", ...], ...]:
        """The steps that this one may or may not run."""
        return ()

    def own_values(self) -> Any:
        """Every value this step itself uses, without those of the steps in its branches."""
        return (self.arguments(), self.extras())


@dataclass(frozen=True, kw_only=True)
class PropertyFile:
    """A JSON file in a processing output, of which later steps use single values."""

    name: str
    output: str
    path: str

    def render(self) -> dict[str, Any]:
        """One of the PropertyFiles of a processing step."""
        return {"PropertyFileName": self.name, "OutputName": self.output, "FilePath": self.path}


@dataclass(frozen=True, kw_only=True)
class ProcessingStep(Step):
    """Runs a processing job."""

    type: ClassVar[str] = "Processing"

    job: ProcessingJob
    property_files: tuple[PropertyFile, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """The CreateProcessingJob request."""
        return self.job.render()

    def extras(self) -> dict[str, Any]:
        """The property files, if it has any."""
        files = [file.render() for file in self.property_files]
        return {"PropertyFiles": files} if files else {}

    @property
    def job_name(self) -> StepProperty:
        """What the job of the attempt that succeeded is called."""
        return StepProperty(self.name, "ProcessingJobName")

    def output(self, name: str) -> StepProperty:
        """The S3 folder of one of its outputs.

        Raises:
            ValueError: It has no output of that name.
        """
        names = [output.name for output in self.job.outputs]
        if name not in names:
            raise ValueError(f"step {self.name} has no output {name!r}; it has {', '.join(names)}")
        return StepProperty(self.name, f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")

    def value(self, property_file: str, path: str) -> JsonGet:
        """One value of one of its property files.

        Raises:
            ValueError: It has no property file of that name.
        """
        names = [file.name for file in self.property_files]
        if property_file not in names:
            raise ValueError(
                f"step {self.name} has no property file {property_file!r}; it has {', '.join(names) or 'none'}"
            )
        return JsonGet(self.name, property_file, path)


@dataclass(frozen=True, kw_only=True)
class TrainingStep(Step):
    """Runs a training job."""

    type: ClassVar[str] = "Training"

    job: TrainingJob

    def arguments(self) -> dict[str, Any]:
        """The CreateTrainingJob request."""
        return self.job.render()

    @property
    def artifact(self) -> StepProperty:
        """The S3 URI of the model.tar.gz it makes."""
        return StepProperty(self.name, "ModelArtifacts.S3ModelArtifacts")


@dataclass(frozen=True, kw_only=True)
class ModelStep(Step):
    """Creates a SageMaker model, so that an analysis can ask it for predictions."""

    type: ClassVar[str] = "Model"

    image: str
    role_arn: str
    network: Network
    model_data_url: Value
    environment: Mapping[str, str]

    def arguments(self) -> dict[str, Any]:
        """The CreateModel request."""
        return {
            "ExecutionRoleArn": self.role_arn,
            "PrimaryContainer": {
                "Image": self.image,
                "ModelDataUrl": self.model_data_url,
                "Environment": dict(self.environment),
            },
            "VpcConfig": self.network.vpc_config(),
            "EnableNetworkIsolation": self.network.isolated,
        }

    @property
    def model_name(self) -> StepProperty:
        """The name that SageMaker Pipelines gave to the model."""
        return StepProperty(self.name, "ModelName")


@dataclass(frozen=True, kw_only=True)
class LambdaStep(Step):
    """Calls a function, which answers within 10 minutes with a text for each of `outputs`."""

    type: ClassVar[str] = "Lambda"

    function_arn: str
    inputs: Mapping[str, Value]
    outputs: tuple[str, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """The event that the function is called with."""
        return dict(self.inputs)

    def extras(self) -> dict[str, Any]:
        """The function and what it answers."""
        parameters = [{"OutputName": name, "OutputType": "String"} for name in self.outputs]
        return {"FunctionArn": self.function_arn, "OutputParameters": parameters}

    def output(self, name: str) -> StepProperty:
        """One of its answers.

        Raises:
            ValueError: It has no output of that name.
        """
        if name not in self.outputs:
            raise ValueError(f"step {self.name} has no output {name!r}; it has {', '.join(self.outputs) or 'none'}")
        return StepProperty(self.name, f"OutputParameters['{name}']")


@dataclass(frozen=True, kw_only=True)
class RegisterModelStep(Step):
    """Registers a version of a model."""

    type: ClassVar[str] = "RegisterModel"

    package: ModelPackage

    def arguments(self) -> dict[str, Any]:
        """The CreateModelPackage request."""
        return self.package.render()


@dataclass(frozen=True, kw_only=True)
class FailStep(Step):
    """Ends the execution as failed, with a message for a person."""

    type: ClassVar[str] = "Fail"

    message: Value

    def arguments(self) -> dict[str, Any]:
        """The message."""
        return {"ErrorMessage": self.message}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Whether `left` stands to `right` as `relation` says."""

    relation: Literal["Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"]
    left: Expression
    right: Value

    def render(self) -> dict[str, Any]:
        """One of the Conditions of a condition step."""
        return {"Type": self.relation, "LeftValue": self.left, "RightValue": self.right}


@dataclass(frozen=True, kw_only=True)
class ConditionStep(Step):
    """Goes one way if all `conditions` hold, else the other."""

    type: ClassVar[str] = "Condition"

    conditions: tuple[Comparison, ...]
    if_steps: tuple[Step, ...]
    else_steps: tuple[Step, ...]

    def arguments(self) -> dict[str, Any]:
        """The conditions and both ways."""
        return {
            "Conditions": [condition.render() for condition in self.conditions],
            "IfSteps": [rendered(step) for step in self.if_steps],
            "ElseSteps": [rendered(step) for step in self.else_steps],
        }

    def branches(self) -> tuple[tuple[Step, ...], ...]:
        """Both ways."""
        return (self.if_steps, self.else_steps)

    def own_values(self) -> Any:
        """The values that are compared."""
        return [(condition.left, condition.right) for condition in self.conditions]


def rendered(step: Step) -> dict[str, Any]:
    """A step as the definition spells it, its values still expressions."""
    content: dict[str, Any] = {"Name": step.name, "Type": step.type, "Arguments": step.arguments(), **step.extras()}
    if step.depends_on:
        content["DependsOn"] = list(step.depends_on)
    if step.retries:
        content["RetryPolicies"] = [retry.render() for retry in step.retries]
    if step.cache_for:
        content["CacheConfig"] = {"Enabled": True, "ExpireAfter": step.cache_for}
    return content


def flattened(steps: tuple[Step, ...], within: tuple[str, ...] = ()) -> Iterator[tuple[Step, tuple[str, ...]]]:
    """Every step, also those in branches, with the branches (as `<condition>.<number>`) it lies within."""
    for step in steps:
        yield step, within
        for number, branch in enumerate(step.branches()):
            yield from flattened(branch, (*within, f"{step.name}.{number}"))
