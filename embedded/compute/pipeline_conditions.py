"""The conditions of a pipeline's Condition steps."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from embedded.compute.pipeline_values import ReferenceFailure

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def holds(condition: Mapping[str, Any], resolve: Callable[[Any], Any]) -> bool:
    """Whether one condition is true.

    Raises:
        ReferenceFailure: Its values cannot be compared, or it is of no known type.
    """
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"], resolve)
    if kind == "Or":
        return any([holds(inner, resolve) for inner in condition["Conditions"]])
    if kind == "In":
        return bool(resolve(condition["QueryValue"]) in resolve(condition["Values"]))
    if kind not in _COMPARISONS:
        raise ReferenceFailure(f"{kind!r} is no condition type")
    left, right = resolve(condition["LeftValue"]), resolve(condition["RightValue"])
    try:
        return bool(_COMPARISONS[kind](left, right))
    except TypeError as error:
        raise ReferenceFailure(f"{kind}: {left!r} and {right!r} cannot be compared") from error
