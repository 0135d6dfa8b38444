"""A SageMaker pipeline's definition: built from typed steps, checked as a whole, spelled as the service reads it."""

from collections import Counter
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from baton.training.references import JsonGet, ParameterValue, StepProperty, expressions, render
from baton.training.steps import STEP_NAME, ProcessingStep, Step, flattened, rendered


class DefinitionError(ValueError):
    """The steps of a pipeline do not fit together; the message says which and how to mend it."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A text that every execution may set."""

    name: str
    default: str

    @property
    def value(self) -> ParameterValue:
        """What an execution was given."""
        return ParameterValue(self.name)

    def render(self) -> dict[str, Any]:
        """One of the Parameters of the definition."""
        return {"Name": self.name, "Type": "String", "DefaultValue": self.default}


@dataclass(frozen=True, kw_only=True)
class PipelineDefinition:
    """Parameters and steps of a pipeline.

    Raises:
        DefinitionError: A name is used twice or not allowed, something is referred to that does not exist or may not
            have run, or steps wait for each other in a circle.
    """

    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        """Refuse a definition that the service would refuse, or worse, would not."""
        self._check_names()
        self._check_references()
        self._check_order()

    def render(self) -> dict[str, Any]:
        """The definition, ready for `Stack.to_json_string`."""
        return {
            "Version": "2020-12-01",
            "Metadata": {},
            "Parameters": [parameter.render() for parameter in self.parameters],
            "Steps": [render(rendered(step)) for step in self.steps],
        }

    @property
    def step_names(self) -> tuple[str, ...]:
        """The names of all steps, also of those in branches."""
        return tuple(step.name for step, _ in flattened(self.steps))

    def _check_names(self) -> None:
        for kind, names in (
            ("parameter", tuple(parameter.name for parameter in self.parameters)),
            ("step", self.step_names),
        ):
            repeated = [name for name, count in Counter(names).items() if count > 1]
            if repeated:
                raise DefinitionError(f"two {kind}s are called {repeated[0]!r}; give each its own name")
            for name in names:
                if not STEP_NAME.fullmatch(name):
                    raise DefinitionError(
                        f"{kind} {name!r}: a name has up to 64 letters, digits, hyphens and underscores"
                    )

    def _check_references(self) -> None:
        parameters = {parameter.name for parameter in self.parameters}
        steps = {step.name: (step, within) for step, within in flattened(self.steps)}
        for step, within in steps.values():
            for expression in expressions(step.own_values()):
                if isinstance(expression, ParameterValue) and expression.parameter not in parameters:
                    raise DefinitionError(
                        f"step {step.name} uses the parameter {expression.parameter!r}, which is not declared"
                    )
                if isinstance(expression, JsonGet):
                    _check_property_file(step.name, expression, steps.get(expression.step, (None, ()))[0])
            for needed in _needs(step):
                if needed not in steps:
                    raise DefinitionError(f"step {step.name} needs the step {needed!r}, which does not exist")
                branches = steps[needed][1]
                if within[: len(branches)] != branches:
                    raise DefinitionError(
                        f"step {step.name} needs the step {needed}, which lies in a branch that may not run"
                    )

    def _check_order(self) -> None:
        graph: dict[str, set[str]] = {}
        for step, within in flattened(self.steps):
            conditions = {branch.rpartition(".")[0] for branch in within}
            graph[step.name] = _needs(step) | conditions
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            raise DefinitionError(f"steps wait for each other in a circle: {' → '.join(error.args[1])}") from error


def _needs(step: Step) -> set[str]:
    used = {
        expression.step
        for expression in expressions(step.own_values())
        if isinstance(expression, (StepProperty, JsonGet))
    }
    return used | set(step.depends_on)


def _check_property_file(user: str, wanted: JsonGet, step: Step | None) -> None:
    if step is None:
        return
    if not isinstance(step, ProcessingStep):
        raise DefinitionError(f"step {user} reads a file of {step.name}, but only processing steps have property files")
    file = next((file for file in step.property_files if file.name == wanted.property_file), None)
    if file is None:
        raise DefinitionError(f"step {user} reads {wanted.property_file!r}, which {step.name} does not declare")
    if file.output not in {output.name for output in step.job.outputs}:
        raise DefinitionError(
            f"step {step.name} declares {file.name!r} in the output {file.output!r}, which it does not have"
        )
