"""Values on their way between JSON, Python and CloudFormation, guided by botocore's own service model."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.utils import parse_timestamp


def from_wire(shape: Any, value: Any) -> Any:
    """Turn what a JSON request carries into the Python values a client was given."""
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            return {
                key: from_wire(shape.members[key], item) if key in shape.members else item
                for key, item in value.items()
                if item is not None
            }
        case "list" if isinstance(value, list):
            return [from_wire(shape.member, item) for item in value]
        case "map" if isinstance(value, Mapping):
            return {key: from_wire(shape.value, item) for key, item in value.items()}
        case "timestamp" if isinstance(value, int | float | str):
            moment: datetime = parse_timestamp(value)  # type: ignore[arg-type]  # takes numbers, too
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        case "blob" if isinstance(value, str):
            return base64.b64decode(value)
    return value


def to_wire(shape: Any, value: Any) -> Any:
    """Turn a handler's answer into JSON values: only what the output shape declares leaves the service."""
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            return {
                key: to_wire(member, value[key]) for key, member in shape.members.items() if value.get(key) is not None
            }
        case "list" if isinstance(value, list | tuple):
            return [to_wire(shape.member, item) for item in value]
        case "map" if isinstance(value, Mapping):
            return {key: to_wire(shape.value, item) for key, item in value.items()}
        case "timestamp" if isinstance(value, datetime):
            return round(value.timestamp(), 3)
        case "blob" if isinstance(value, bytes):
            return base64.b64encode(value).decode()
    return value


def from_template(shape: Any, value: Any) -> Any:
    """Turn CloudFormation properties into an API's input.

    A template may carry a number or a boolean as text (a parameter's `Ref` always is), and a JSON
    document where the API takes its text. Members the API does not know stay, so that it refuses them.
    """
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            return {
                key: from_template(shape.members[key], item) if key in shape.members else item
                for key, item in value.items()
            }
        case "list" if isinstance(value, list):
            return [from_template(shape.member, item) for item in value]
        case "map" if isinstance(value, Mapping):
            return {key: from_template(shape.value, item) for key, item in value.items()}
        case "integer" | "long" if isinstance(value, str | float):
            return int(value)
        case "float" | "double" if isinstance(value, str):
            return float(value)
        case "boolean" if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        case "string" if isinstance(value, Mapping | list):
            return json.dumps(value)
        case "string" if isinstance(value, int | float):
            return json.dumps(value)
    return value


def violations(shape: Any, value: Any, name: str = "input") -> Iterator[str]:
    """Yield what botocore's own validator leaves to the service: enums, patterns and upper bounds."""
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            for key, item in value.items():
                if key in shape.members:
                    yield from violations(shape.members[key], item, _path(name, key))
        case "list" if isinstance(value, list):
            yield from _above(shape, len(value), value, name, "length")
            for index, item in enumerate(value):
                yield from violations(shape.member, item, f"{name}.{index + 1}.member")
        case "map" if isinstance(value, Mapping):
            yield from _above(shape, len(value), value, name, "length")
            for key, item in value.items():
                yield from violations(shape.value, item, f"{name}.{key}")
        case "string" if isinstance(value, str):
            yield from _above(shape, len(value), value, name, "length")
            yield from _mismatches(shape, value, name)
        case "integer" | "long" | "float" | "double" if isinstance(value, int | float):
            yield from _above(shape, value, value, name, "value")


def _path(parent: str, key: str) -> str:
    member = key[:1].lower() + key[1:]
    return member if parent == "input" else f"{parent}.{member}"


def _above(shape: Any, size: float, value: Any, name: str, measure: str) -> Iterator[str]:
    limit = shape.metadata.get("max")
    if limit is not None and size > limit:
        bound = f"{measure} less than or equal to {limit}"
        yield f"Value '{value}' at '{name}' failed to satisfy constraint: Member must have {bound}"


def _mismatches(shape: Any, value: str, name: str) -> Iterator[str]:
    constraint = f"Value '{value}' at '{name}' failed to satisfy constraint: Member must satisfy "
    if shape.enum and value not in shape.enum:
        yield f"{constraint}enum value set: [{', '.join(shape.enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield f"{constraint}regular expression pattern: {pattern}"


def _matches(pattern: str, value: str) -> bool:
    """The model's patterns are Java's; one that Python cannot read (Unicode classes) is not checked."""
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True
