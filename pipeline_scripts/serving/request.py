"""From the bytes of a request to checked columns of raw values, or a refusal that names the field.

Three forms: `text/csv` (the inputs in the signature's order; a first line that repeats their names is skipped),
`application/json` ({"instances": [{name: value, …}]}) and `application/jsonlines` (one such object a line).
An empty CSV field and a JSON null are missing values, which the transformer fills as it did in training; NaN and
infinity are no values of a source column, so they are refused (see `pipeline_scripts.serving.values`).
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline_scripts.serving.errors import RequestError
from pipeline_scripts.serving.signature import Signature
from pipeline_scripts.serving.values import checked

Columns = dict[str, Sequence[Any]]
CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"


def parse_request(body: bytes | str, content_type: str | None, signature: Signature) -> Columns:
    """Read a request's rows as one list of raw values an input.

    Raises:
        RequestError: The content type is unknown (415), or the body does not fit the signature (400).
    """
    kind = (content_type or CSV).split(";")[0].strip().lower()
    if kind not in _READERS:
        raise RequestError(f"content type {kind!r} is not one of {CSV}, {JSON}, {JSON_LINES}", status_code=415)
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"the body is not UTF-8 (byte {error.start})") from error
    columns = _READERS[kind](text, signature)
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
        del rows[0]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise RequestError(f"row {number} has {len(row)} fields, the model takes {len(names)}: {', '.join(names)}")
    fields = zip(*rows, strict=True) if rows else [()] * len(names)
    return {
        item.name: checked(column if all(column) else [field or None for field in column], item)
        for item, column in zip(signature.inputs, fields, strict=True)
    }


def _parse_json(text: str, signature: Signature) -> Columns:
    content = _load(text, "the body")
    if not isinstance(content, dict) or not isinstance(content.get("instances"), list):
        raise RequestError('a JSON body must be {"instances": [{name: value, …}, …]}')
    return _parse_objects(content["instances"], signature)


def _parse_json_lines(text: str, signature: Signature) -> Columns:
    lines = [line for line in text.split("\n") if line.strip()]
    return _parse_objects([_load(line, f"line {number}") for number, line in enumerate(lines, start=1)], signature)


class _Constant(ValueError):
    """NaN or an infinity, which JSON does not have and Python reads."""


def _refuse(constant: str) -> None:
    raise _Constant(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _load(text: str, where: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise RequestError(f"{where} is not JSON: {error}") from error
    except _Constant as error:
        message = f"{where} holds {error}, which is not a JSON number; send null for a missing value"
        raise RequestError(message) from error
    except ValueError as error:  # an integer of more digits than Python converts
        raise RequestError(f"{where} holds a number that is too large") from error


def _parse_objects(instances: list[Any], signature: Signature) -> Columns:
    names = signature.names
    try:
        if not (set(map(type, instances)) <= {dict} and set(map(len, instances)) <= {len(names)}):
            raise KeyError
        return {item.name: checked([row[item.name] for row in instances], item) for item in signature.inputs}
    except KeyError:
        number, instance = next((n, one) for n, one in enumerate(instances, start=1) if _misfits(one, names))
        raise RequestError(f"row {number}{_complaint(instance, names)}") from None


def _misfits(instance: Any, names: tuple[str, ...]) -> bool:
    return not isinstance(instance, dict) or instance.keys() != set(names)


def _complaint(instance: Any, names: tuple[str, ...]) -> str:
    if not isinstance(instance, dict):
        return " must be an object of input names and values"
    for stray in sorted(instance.keys() - set(names)):
        return f": {stray!r} is not an input; the inputs are {', '.join(names)}"
    missing = next(name for name in names if name not in instance)
    return f": {missing!r} is missing; send null when it is unknown"


_READERS: Mapping[str, Callable[[str, Signature], Columns]] = {
    CSV: _parse_csv,
    JSON: _parse_json,
    JSON_LINES: _parse_json_lines,
    "application/x-jsonlines": _parse_json_lines,
}
