"""Values of a pipeline definition that are only known while an execution runs."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal


class Expression(ABC):
    """A value that SageMaker Pipelines works out during an execution."""

    @abstractmethod
    def render(self) -> dict[str, Any]:
        """How the definition spells it."""

    def parts(self) -> tuple["Value", ...]:
        """The values that it is made of."""
        return ()


Value = str | int | float | bool | Expression


@dataclass(frozen=True)
class ExecutionVariable(Expression):
    """Something every execution knows about itself."""

    name: Literal["PipelineExecutionId", "PipelineExecutionArn", "StartDateTime"]

    def render(self) -> dict[str, Any]:
        """How the definition spells it."""
        return {"Get": f"Execution.{self.name}"}


@dataclass(frozen=True)
class ParameterValue(Expression):
    """What an execution was given for a parameter."""

    parameter: str

    def render(self) -> dict[str, Any]:
        """How the definition spells it."""
        return {"Get": f"Parameters.{self.parameter}"}


@dataclass(frozen=True)
class StepProperty(Expression):
    """What another step produced. The step that uses it therefore waits for that one."""

    step: str
    path: str

    def render(self) -> dict[str, Any]:
        """How the definition spells it."""
        return {"Get": f"Steps.{self.step}.{self.path}"}


@dataclass(frozen=True)
class JsonGet(Expression):
    """One value of a JSON file that a processing step wrote and declared as a property file."""

    step: str
    property_file: str
    path: str

    def render(self) -> dict[str, Any]:
        """How the definition spells it."""
        file = {"Get": f"Steps.{self.step}.PropertyFiles.{self.property_file}"}
        return {"Std:JsonGet": {"PropertyFile": file, "Path": self.path}}


@dataclass(frozen=True)
class Join(Expression):
    """Several values as one text."""

    on: str
    values: tuple[Value, ...]

    def render(self) -> dict[str, Any]:
        """How the definition spells it."""
        return {"Std:Join": {"On": self.on, "Values": [render(value) for value in self.values]}}

    def parts(self) -> tuple[Value, ...]:
        """The values that it is made of."""
        return self.values


def render(value: Any) -> Any:
    """A tree of plain values and expressions as the definition spells it."""
    if isinstance(value, Expression):
        return value.render()
    if isinstance(value, Mapping):
        return {key: render(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [render(item) for item in value]
    return value


def expressions(value: Any) -> Iterator[Expression]:
    """Every expression in a tree of values, also those inside others."""
    if isinstance(value, Expression):
        yield value
        yield from expressions(value.parts())
    elif isinstance(value, Mapping):
        yield from expressions(tuple(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from expressions(item)
