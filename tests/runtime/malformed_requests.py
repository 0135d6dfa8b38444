"""Requests to an endpoint that are wrong in one way or in several, drawn at random from a right one."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
LARGEST = 10 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Malformed:
    """A body, its content type, what was done to it, and the field that an answer must name, where there is one."""

    what: str
    body: bytes
    content_type: str
    field: str | None = None


Row = dict[str, Any]
Draw = random.Random


def malformed(draw: Draw, *, rows: Sequence[Row], numbers: Sequence[str]) -> Malformed:
    """One request, wrong.

    Args:
        draw: Decides.
        rows: Right rows, by input in the signature's order.
        numbers: The inputs that take a number.
    """
    kind = draw.choice(KINDS)
    return kind(draw, [dict(row) for row in draw.sample(list(rows), draw.randint(1, 3))], list(numbers))


def _written(rows: Sequence[Any], content_type: str) -> bytes:
    if content_type == JSON:
        return json.dumps({"instances": list(rows)}).encode()
    return "\n".join(json.dumps(row) for row in rows).encode()


def _as_csv(rows: Sequence[Row]) -> str:
    return "".join(",".join("" if value is None else str(value) for value in row.values()) + "\n" for row in rows)


def _without(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    field, form = draw.choice(list(rows[0])), draw.choice((JSON, LINES))
    del draw.choice(rows)[field]
    return Malformed(what="a missing input", body=_written(rows, form), content_type=form, field=field)


def _unknown(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    field, form = f"unknown_{draw.randint(0, 9)}", draw.choice((JSON, LINES))
    draw.choice(rows)[field] = 1
    return Malformed(what="an unknown input", body=_written(rows, form), content_type=form, field=field)


def _wrong_type(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    field, form = draw.choice(list(rows[0])), draw.choice((JSON, LINES))
    wrong: list[Any] = [[], {}, [1], {"a": 1}]
    wrong += ["many", "1e999", "NaN", True, "0x10", "١٢"] if field in numbers else [3, 2.5, True]
    draw.choice(rows)[field] = draw.choice(wrong)
    return Malformed(what="a value of the wrong type", body=_written(rows, form), content_type=form, field=field)


def _wrong_field(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    field = draw.choice(numbers)
    draw.choice(rows)[field] = draw.choice(["many", "NaN", "inf", "-inf", "1e400", "1_000x", "--1", "💥"])
    return Malformed(what="a CSV field of the wrong type", body=_as_csv(rows).encode(), content_type=CSV, field=field)


def _fields(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    lines = _as_csv(rows).splitlines()
    place = draw.randrange(len(lines))
    lines[place] = draw.choice([f"{lines[place]},1", lines[place].rpartition(",")[0], "," * 40, "1"])
    return Malformed(what="a CSV row of another length", body="\n".join(lines).encode(), content_type=CSV)


def _constant(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    form, field = draw.choice((JSON, LINES)), draw.choice(numbers)
    rows[0][field] = "@"
    constant = draw.choice([b"NaN", b"Infinity", b"-Infinity", b"9" * 5_000, b"1e400"])
    body = _written(rows, form).replace(b'"@"', constant)
    return Malformed(what="a number that is none", body=body, content_type=form)


def _cut(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    body = _written(rows, JSON)
    return Malformed(what="JSON cut off", body=body[: draw.randrange(len(body) - 1)], content_type=JSON)


def _shape(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    other: list[Any] = [None, [], {}, 5, "text", {"instances": 3}, {"instances": [1]}, {"instances": [[]]}]
    chosen = draw.choice([*other, {"rows": rows}])
    return Malformed(what="JSON of another shape", body=json.dumps(chosen).encode(), content_type=JSON)


def _nested(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    deep = draw.choice((1_000, 100_000))
    return Malformed(what="JSON nested deep", body=b"[" * deep + b"]" * deep, content_type=draw.choice((JSON, LINES)))


def _noise(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    body = b"\xff\xfe" + draw.randbytes(draw.randint(1, 400))
    return Malformed(what="bytes that are no text", body=body, content_type=draw.choice((CSV, JSON, LINES)))


def _empty(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    body = draw.choice([b"", b"\n", b" ", b"\n\n\n"])
    return Malformed(what="no row", body=body, content_type=draw.choice((CSV, JSON, LINES)))


def _type(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    other = draw.choice(["application/x-npy", "image/png", "text/plain", "application/xml", "nonsense", "*/*"])
    return Malformed(what="another content type", body=_as_csv(rows).encode(), content_type=other)


def _quote(draw: Draw, rows: list[Row], numbers: list[str]) -> Malformed:
    body = draw.choice([b'"', b'1,"2', b"\x00,\x00", b'"a\n' * 40, b"," * 50_000])
    return Malformed(what="CSV that is none", body=body, content_type=CSV)


KINDS: tuple[Callable[[Draw, list[Row], list[str]], Malformed], ...] = (
    *(_without, _unknown, _wrong_type, _wrong_field, _fields, _constant, _cut, _shape, _nested, _noise, _empty, _type),
    _quote,
)


def enormous(draw: Draw) -> Malformed:
    """More than SageMaker lets through, and no request."""
    byte = draw.choice([b"1", b",", b"[", b"\n", b"x"])
    return Malformed(what="10 MB", body=byte * LARGEST, content_type=draw.choice((CSV, JSON, LINES)))
