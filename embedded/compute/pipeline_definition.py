"""A SageMaker pipeline's definition JSON as typed steps, checked before anything runs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

RUNNABLE = frozenset({"Processing", "Training", "Tuning", "RegisterModel", "Model", "Lambda", "Condition", "Fail"})
"""The step types that embedded AWS really runs."""

_KNOWN = RUNNABLE | {
    "Transform", "Callback", "ClarifyCheck", "QualityCheck", "EMR", "AutoML", "NotebookJob",
    "EMRServerless", "Endpoint", "EndpointConfig", "InferenceComponent", "Lineage", "ForEach", "Cleanup",
}  # fmt: skip

_PYTHON_TYPES = {"String": str, "Integer": int, "Float": float, "Boolean": bool}


class DefinitionError(Exception):
    """The definition is not one that SageMaker would accept; the message says where."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the definition.

    Attributes:
        waits_for: Steps that must be over before it starts: DependsOn, and those whose results it uses.
        parent: The condition step in whose branch it lies.
        branches: A condition step's own two branches, by outcome.
    """

    name: str
    type: str
    content: Mapping[str, Any]
    waits_for: frozenset[str]
    parent: str | None
    branches: Mapping[bool, tuple[str, ...]] = field(default_factory=dict)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The step's Arguments, references and all."""
        arguments: Mapping[str, Any] = self.content.get("Arguments", {})
        return arguments


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A pipeline: what can be given to it, and its steps by name, those in branches included."""

    parameters: Mapping[str, Mapping[str, Any]]
    steps: Mapping[str, Step]

    def values(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The value of each parameter that has one: what was given, or its default.

        Raises:
            DefinitionError: There is no such parameter, or the value is not of its type or not among its EnumValues.
        """
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            raise DefinitionError(f"the pipeline has no parameter {unknown[0]!r}; it has {sorted(self.parameters)}")
        values = {}
        for name, parameter in self.parameters.items():
            if name in given or "DefaultValue" in parameter:
                values[name] = _typed(parameter, given.get(name, parameter.get("DefaultValue")))
        return values

    def missing(self, given: Mapping[str, str]) -> list[str]:
        """Parameters that have neither a default nor a given value."""
        return [name for name, entry in self.parameters.items() if name not in given and "DefaultValue" not in entry]


def parse(definition: str | Mapping[str, Any]) -> Definition:
    """Read and check a definition.

    Raises:
        DefinitionError: It is no JSON, misses something, refers to what is not there, or runs in a circle.
    """
    try:
        content = json.loads(definition) if isinstance(definition, str) else definition
        parameters = {entry["Name"]: entry for entry in content.get("Parameters", ())}
        found = list(_collect(content["Steps"], parent=None))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DefinitionError(f"the pipeline's definition cannot be read: {error!r}") from error
    steps = {step.name: step for step in found}
    if len(steps) != len(found):
        names = [step.name for step in found]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DefinitionError(f"step names must be unique; used twice: {twice}")
    _check(steps)
    return Definition(parameters=parameters, steps=steps)


def references(value: Any) -> Iterator[str]:
    """Every `Get` inside a JSON value."""
    if isinstance(value, Mapping):
        if set(value) == {"Get"} and isinstance(value["Get"], str):
            yield value["Get"]
        else:
            for item in value.values():
                yield from references(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from references(item)


def _collect(entries: Sequence[Mapping[str, Any]], *, parent: str | None) -> Iterator[Step]:
    for entry in entries:
        name, kind = entry["Name"], entry["Type"]
        arguments = entry.get("Arguments", {})
        own = {key: value for key, value in arguments.items() if key not in ("IfSteps", "ElseSteps")}
        branches = {}
        if kind == "Condition":
            for outcome, key in ((True, "IfSteps"), (False, "ElseSteps")):
                inner = arguments.get(key, ())
                branches[outcome] = tuple(step["Name"] for step in inner)
                yield from _collect(inner, parent=name)
        used = {get.split(".")[1] for get in references(own) if get.startswith("Steps.")}
        waits_for = frozenset(used | set(entry.get("DependsOn", ())))
        yield Step(name=name, type=kind, content=entry, waits_for=waits_for, parent=parent, branches=branches)


def _check(steps: Mapping[str, Step]) -> None:
    for step in steps.values():
        if step.type not in _KNOWN:
            raise DefinitionError(f"step {step.name!r}: {step.type!r} is no step type of SageMaker Pipelines")
        unknown = sorted(step.waits_for - set(steps))
        if unknown:
            raise DefinitionError(f"step {step.name!r} refers to step {unknown[0]!r}, which the pipeline does not have")
    order = {name: {*step.waits_for, *filter(None, [step.parent])} for name, step in steps.items()}
    try:
        TopologicalSorter(order).prepare()
    except CycleError as error:
        raise DefinitionError(f"steps wait for each other in a circle: {' → '.join(error.args[1])}") from error


def _typed(parameter: Mapping[str, Any], value: Any) -> Any:
    kind = _PYTHON_TYPES.get(parameter["Type"])
    if kind is None:
        raise DefinitionError(f"parameter {parameter['Name']!r}: {parameter['Type']!r} is no type")
    try:
        typed = str(value).lower() == "true" if kind is bool else kind(value)
    except ValueError as error:
        raise DefinitionError(f"parameter {parameter['Name']!r}: {value!r} is no {parameter['Type']}") from error
    allowed = parameter.get("EnumValues")
    if allowed and typed not in allowed:
        raise DefinitionError(f"parameter {parameter['Name']!r}: {value!r} is not one of {allowed}")
    return typed
