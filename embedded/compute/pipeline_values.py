"""What the references of a pipeline's definition stand for while it runs."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_PART = re.compile(r"""\.?([^.\[\]]+)|\[(\d+)\]|\[['"]([^'"]*)['"]\]""")


class ReferenceFailure(Exception):
    """A reference leads nowhere; the message is the failure reason of the step that uses it."""


class Values:
    """Resolves Get, Std:Join and Std:JsonGet.

    Args:
        parameters: The pipeline's parameters.
        execution: What `Execution.*` gives.
        property_file: Gives the S3 URI of a step's property file.
        read: Gives the content of an S3 object.
    """

    def __init__(
        self,
        *,
        parameters: Mapping[str, Any],
        execution: Mapping[str, Any],
        property_file: Callable[[str, str], str],
        read: Callable[[str], bytes],
    ) -> None:
        self._roots = {"Parameters": parameters, "Execution": execution}
        self._steps: dict[str, Mapping[str, Any]] = {}
        self._property_file = property_file
        self._read = read

    def note(self, step: str, properties: Mapping[str, Any]) -> None:
        """Keep what a step's Describe call answered, for those that refer to it."""
        self._steps[step] = properties

    def resolve(self, value: Any, **local: Any) -> Any:
        """The value with every reference replaced; `local` gives more of `Execution.*`, such as TrainingJobName.

        Raises:
            ReferenceFailure: A reference leads nowhere.
        """
        if isinstance(value, Mapping):
            if set(value) == {"Get"}:
                return self._get(value["Get"], local)
            if set(value) == {"Std:Join"}:
                join = value["Std:Join"]
                return join.get("On", "").join(_text(self.resolve(part, **local)) for part in join["Values"])
            if set(value) == {"Std:JsonGet"}:
                return self._json_get(value["Std:JsonGet"], local)
            return {key: self.resolve(item, **local) for key, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [self.resolve(item, **local) for item in value]
        return value

    def _get(self, path: str, local: Mapping[str, Any]) -> Any:
        root, _, rest = path.partition(".")
        if root == "Steps":
            step, _, rest = rest.partition(".")
            if step not in self._steps:
                raise ReferenceFailure(f"{path!r}: step {step!r} has no result")
            return follow(self._steps[step], rest, where=path)
        content = {**self._roots.get(root, {}), **(local if root == "Execution" else {})}
        if rest not in content:
            raise ReferenceFailure(f"{path!r} has no value in this execution")
        return content[rest]

    def _json_get(self, call: Mapping[str, Any], local: Mapping[str, Any]) -> Any:
        if "PropertyFile" in call:
            _, step, _, name = call["PropertyFile"]["Get"].split(".", maxsplit=3)
            uri = self._property_file(step, name)
        else:
            uri = self.resolve(call["S3Uri"], **local)
        try:
            content = json.loads(self._read(uri))
        except Exception as error:  # not there, not readable, or no JSON: the same to the step that needs it
            raise ReferenceFailure(f"JsonGet cannot read {uri!r}: {error}") from error
        return follow(content, call["Path"], where=f"JsonGet of {uri!r}")


def follow(content: Any, path: str, *, where: str) -> Any:
    """Walk a path such as `a.b[0]['c']`. A name inside brackets also finds a list's element of that name.

    Raises:
        ReferenceFailure: There is nothing at that path.
    """
    for part in _PART.finditer(path.removeprefix("$")):
        dotted, position, bracketed = part.groups()
        try:
            if position is not None:
                content = content[int(position)]
            elif isinstance(content, list):
                content = _named(content, bracketed if bracketed is not None else dotted)
            else:
                content = content[bracketed if bracketed is not None else dotted]
        except (KeyError, IndexError, TypeError, StopIteration):
            raise ReferenceFailure(f"{where}: there is nothing at {path!r}") from None
    return content


def _named(items: Sequence[Mapping[str, Any]], name: str) -> Any:
    # A list in an answer of SageMaker is addressed by its elements' names: Outputs['train'], by OutputName.
    return next(item for item in items if name in (item.get(key) for key in item if key.endswith("Name")))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
