"""How an operator of a flow is described and applied.

An operator is a family of transforms: one of its parameters names the transform, and the transform's own parameters lie
under a key of their own. Whatever a flow asks for beyond what is described here is refused, never left out.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

Parameters = Mapping[str, Any]


class OperatorRefused(Exception):
    """Data Wrangler would run it, embedded AWS does not; the message names the part that it does not know."""


class OperatorFailed(Exception):
    """Data Wrangler would not run it either; the message says what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Transform:
    """A function from a table, and keyword arguments named as the flow's parameters, to a table.

    `learnt`, where the function takes it, is what the flow has learnt in Studio.
    """

    function: Callable[..., DataFrame]

    def run(self, table: DataFrame, parameters: Parameters, learnt: Any = None) -> DataFrame:
        """Apply it; several input columns are taken in turn, as Data Wrangler does.

        Raises:
            OperatorRefused: It has a parameter that is not known here.
            OperatorFailed: A parameter is missing, or names a column that does not exist.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        if given.get("output_column") == "":
            del given["output_column"]
        self._check(given)
        columns = given.pop("input_column", None)
        if columns is None:
            return self.function(table, **given, **({"learnt": learnt} if self._takes("learnt") else {}))
        columns = columns if isinstance(columns, list) else [columns]
        output = given.pop("output_column", None)
        for column in columns:
            require(table, column)
            own = {"output_column": f"{output}_{column}" if len(columns) > 1 else output} if output else {}
            own |= {"learnt": _learnt_of(learnt, column)} if self._takes("learnt") else {}
            table = self.function(table, input_column=column, **given, **own)
        return table

    def _takes(self, name: str) -> bool:
        return name in inspect.signature(self.function).parameters

    def _check(self, given: Parameters) -> None:
        taken = list(inspect.signature(self.function).parameters.values())[1:]
        known = [parameter for parameter in taken if parameter.name != "learnt"]
        strangers = given.keys() - {parameter.name for parameter in known}
        if strangers:
            raise OperatorRefused(f"parameter {min(strangers)}")
        for parameter in known:
            if parameter.default is parameter.empty and parameter.name not in given:
                raise OperatorFailed(f"parameter {parameter.name} is missing")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of a family's transforms, or a family within it; `key` is where its parameters lie."""

    of: "Transform | Family"
    key: str


@dataclass(frozen=True, kw_only=True)
class Family:
    """Several transforms, of which the parameter `by` names one."""

    by: str
    choices: Mapping[str, Choice]

    def run(self, table: DataFrame, parameters: Parameters, learnt: Any = None) -> DataFrame:
        """Apply the transform that the parameters name.

        Raises:
            OperatorRefused: It is none of this family's.
            OperatorFailed: They name none.
        """
        name = parameters.get(self.by)
        if not name:
            raise OperatorFailed(f"parameter {self.by} is missing")
        choice = self.choices.get(name)
        if choice is None:
            raise OperatorRefused(f"{self.by} {name!r}")
        inner = learnt.get(choice.key) if isinstance(learnt, Mapping) else None
        return choice.of.run(table, parameters.get(choice.key) or {}, inner)

    def names(self) -> tuple[str, ...]:
        """Every transform of the family, those of a family within it after its own name."""
        return tuple(
            f"{name}: {inner}" if inner else name
            for name, choice in self.choices.items()
            for inner in (choice.of.names() if isinstance(choice.of, Family) else ("",))
        )


def family(by: str = "operator", **choices: "tuple[str, Callable[..., DataFrame] | Family]") -> Family:
    """A family whose choices are given as `key=(name, function)`; the key is where the parameters lie."""
    return Family(
        by=by,
        choices={
            name: Choice(of=made if isinstance(made, Family) else Transform(function=made), key=f"{key}_parameters")
            for key, (name, made) in choices.items()
        },
    )


def col(name: str) -> Column:
    """A column by its name, whatever characters that has."""
    return F.col("`" + name.replace("`", "``") + "`")


def require(table: DataFrame, *names: str) -> None:
    """Say which column does not exist.

    Raises:
        OperatorFailed: One does not.
    """
    for name in names:
        if name not in table.columns:
            raise OperatorFailed(f"there is no column {name!r}")


def require_numeric(table: DataFrame, name: str) -> None:
    """Say that a column has to hold numbers.

    Raises:
        OperatorFailed: It does not.
    """
    if not isinstance(table.schema[name].dataType, NumericType):
        raise OperatorFailed(f"{name!r} is not numeric; cast it first")


def number(value: Any, name: str) -> float:
    """A parameter as a number; Studio writes some of them as text.

    Raises:
        OperatorFailed: It is none.
    """
    try:
        return float(value)
    except (TypeError, ValueError):
        raise OperatorFailed(f"parameter {name} must be a number") from None


def still_valid(learnt: Any, parameters: Parameters) -> Mapping[str, Any]:
    """What was learnt with these very parameters; else nothing, and it is learnt again, as Data Wrangler does."""
    if not isinstance(learnt, Mapping):
        return {}
    written = json.dumps(parameters, sort_keys=True).encode("utf-8")
    return learnt if learnt.get("_hash") == hashlib.sha1(written, usedforsecurity=False).hexdigest() else {}


def _learnt_of(learnt: Any, column: str) -> Any:
    if isinstance(learnt, list):
        return next((entry for entry in learnt if entry.get("input_column") == column), None)
    return learnt
