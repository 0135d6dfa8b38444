"""From the bytes of a request to checked columns of raw values, or a refusal that names the field.

Three forms: `text/csv` (the inputs in the signature's order; a first line that repeats their names is skipped),
`application/json` ({"instances": [{name: value, …}]}) and `application/jsonlines` (one such object a line).
An empty CSV field and a JSON null are missing values, which the transformer fills as it did in training; NaN and
infinity are no values of a source column, so they are refused.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from pipeline_scripts.serving.errors import RequestError
from pipeline_scripts.serving.signature import Input, Signature

Columns = dict[str, list[Any]]
CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"


def parse_request(body: bytes | str, content_type: str | None, signature: Signature) -> Columns:
    """Read a request's rows as one list of raw values an input.

    Raises:
        RequestError: The content type is unknown (415), or the body does not fit the signature (400).
    """
    kind = (content_type or CSV).split(";")[0].strip().lower()
    readers: dict[str, Callable[[str, Signature], Columns]] = {
        CSV: _parse_csv,
        JSON: _parse_json,
        JSON_LINES: _parse_json_lines,
        "application/x-jsonlines": _parse_json_lines,
    }
    if kind not in readers:
        raise RequestError(f"content type {kind!r} is not one of {CSV}, {JSON}, {JSON_LINES}", status_code=415)
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"the body is not UTF-8 (byte {error.start})") from error
    columns = readers[kind](text, signature)
    if not columns[signature.names[0]]:
        raise RequestError("the request has no rows; send at least one")
    return columns


def _parse_csv(text: str, signature: Signature) -> Columns:
    names = signature.names
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error as error:
        raise RequestError(f"the body is not CSV: {error}") from error
    if rows and tuple(rows[0]) == names:
        rows = rows[1:]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise RequestError(f"row {number} has {len(row)} fields, the model takes {len(names)}: {', '.join(names)}")
    return {
        item.name: [_checked(row[place] or None, item, number) for number, row in enumerate(rows, start=1)]
        for place, item in enumerate(signature.inputs)
    }


def _parse_json(text: str, signature: Signature) -> Columns:
    content = _load(text, "the body")
    if not isinstance(content, dict) or not isinstance(content.get("instances"), list):
        raise RequestError('a JSON body must be {"instances": [{name: value, …}, …]}')
    return _parse_objects(content["instances"], signature)


def _parse_json_lines(text: str, signature: Signature) -> Columns:
    lines = [line for line in text.split("\n") if line.strip()]
    return _parse_objects((_load(line, f"line {number}") for number, line in enumerate(lines, start=1)), signature)


def _load(text: str, where: str) -> Any:
    def refuse(constant: str) -> None:
        raise RequestError(f"{where} holds {constant}, which is not a JSON number; send null for a missing value")

    try:
        return json.loads(text, parse_constant=refuse)
    except (json.JSONDecodeError, RecursionError) as error:
        raise RequestError(f"{where} is not JSON: {error}") from error
    except RequestError:
        raise
    except ValueError as error:  # an integer of more digits than Python converts
        raise RequestError(f"{where} holds a number that is too large") from error


def _parse_objects(instances: Iterable[Any], signature: Signature) -> Columns:
    known = set(signature.names)
    columns: Columns = {name: [] for name in signature.names}
    for number, instance in enumerate(instances, start=1):
        if not isinstance(instance, dict):
            raise RequestError(f"row {number} must be an object of input names and values")
        strays = sorted(set(instance) - known)
        if strays:
            raise RequestError(
                f"row {number}: {strays[0]!r} is not an input; the inputs are {', '.join(signature.names)}"
            )
        for item in signature.inputs:
            if item.name not in instance:
                raise RequestError(f"row {number}: {item.name!r} is missing; send null when it is unknown")
            columns[item.name].append(_checked(instance[item.name], item, number))
    return columns


def _checked(value: Any, item: Input, row: int) -> Any:
    """The value as the transformer takes it: a finite number, a text, or None."""
    if value is None:
        return None
    if item.type == "string":
        if isinstance(value, str):
            return value
        raise RequestError(f"row {row}: {item.name!r} must be text, got {_shown(value)}")
    number = _number(value, boolean=item.type == "boolean")
    if number is None or not math.isfinite(number):
        raise RequestError(f"row {row}: {item.name!r} must be {_expected(item.type)}, got {_shown(value)}")
    if item.type != "double" and not number.is_integer():
        raise RequestError(f"row {row}: {item.name!r} must be {_expected(item.type)}, got {_shown(value)}")
    return number


def _number(value: Any, *, boolean: bool) -> float | None:
    if boolean and (isinstance(value, bool) or value in ("true", "false", "True", "False")):
        return float(str(value).lower() == "true")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and ("_" in value or not value.isascii()):  # Python reads 1_000 and ١٢, a CSV does not
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _expected(kind: str) -> str:
    return {"integer": "a whole number", "double": "a finite number", "boolean": "true, false, 1 or 0"}[kind]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
