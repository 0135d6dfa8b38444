"""The JSONPath that batch transform filters with: children, indexes, slices and unions of them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

_TOKEN = re.compile(r"\.(?P<child>[A-Za-z_][\w-]*)|\[(?P<inside>[^\]]+)\]")
_NAME = re.compile(r"""^(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)")$""")
_SLICE = re.compile(r"^(?P<first>-?\d+)?:(?P<last>-?\d+)?$")
_INDEX = re.compile(r"^-?\d+$")
Selector = Callable[[Any], Any]


class PathError(Exception):
    """An expression cannot be read, or a value has nothing where it points."""


def compile_path(expression: str) -> Selector:
    """What selects the part of a value that an expression names; `$` names all of it.

    Raises:
        PathError: The expression uses something else than `.name`, `['name', ...]`, `[1, 3:]` and their like.
    """
    if not expression.startswith("$"):
        raise PathError(f"the JSONPath {expression!r} does not begin with $")
    steps = list(_steps(expression))

    def select(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return select


def _steps(expression: str) -> Iterator[Selector]:
    position = 1
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise PathError(f"the JSONPath {expression!r} cannot be read from character {position} on")
        position = match.end()
        if match["child"] is not None:
            yield _child(match["child"])
        else:
            yield _inside([part.strip() for part in match["inside"].split(",")], expression)


def _inside(parts: list[str], expression: str) -> Selector:
    names = [_name(part) for part in parts]
    if all(name is not None for name in names):
        known = [str(name) for name in names]
        return _child(known[0]) if len(known) == 1 else _children(known)
    if all(_INDEX.match(part) or _SLICE.match(part) for part in parts):
        return _element(int(parts[0])) if len(parts) == 1 and _INDEX.match(parts[0]) else _elements(parts)
    raise PathError(f"the JSONPath {expression!r} mixes or uses what batch transform does not know")


def _name(part: str) -> str | None:
    match = _NAME.match(part)
    if match is None:
        return None
    return match["single"] if match["single"] is not None else match["double"]


def _child(name: str) -> Selector:
    def select(value: Any) -> Any:
        if not isinstance(value, dict) or name not in value:
            raise PathError(f"there is no {name!r} in {_shown(value)}")
        return value[name]

    return select


def _children(names: list[str]) -> Selector:
    return lambda value: {name: _child(name)(value) for name in names}


def _element(index: int) -> Selector:
    def select(value: Any) -> Any:
        if not isinstance(value, list) or not -len(value) <= index < len(value):
            raise PathError(f"there is no element {index} in {_shown(value)}")
        return value[index]

    return select


def _elements(parts: list[str]) -> Selector:
    def select(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise PathError(f"{_shown(value)} is no array")
        found: list[Any] = []
        for part in parts:
            match = _SLICE.match(part)
            if match is None:
                found.append(_element(int(part))(value))
            else:
                found += value[_bound(match["first"]) : _bound(match["last"])]
        return found

    return select


def _bound(text: str | None) -> int | None:
    return None if text is None else int(text)


def _shown(value: Any) -> str:
    return repr(value)[:80]
