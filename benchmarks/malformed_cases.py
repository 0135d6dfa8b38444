"""Input that is none, generated alike each time: rows, files, and configuration. Each must be told by a reason."""

import codecs
import copy
import gzip
import io
import json
import random
import zipfile
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

COLUMNS = {
    "ID": "integer",
    "NAME": "string",
    "BORN": "date",
    "BALANCE": "double",
    "ACTIVE": "boolean",
    "CHANGED": "timestamp",
}
NAMES = list(COLUMNS)
GOOD = {
    "ID": "1",
    "NAME": "Ada",
    "BORN": "1950-01-01",
    "BALANCE": "1.5",
    "ACTIVE": "true",
    "CHANGED": "2026-03-01T00:00:00Z",
}
HEADER = ",".join(NAMES).encode()
GOOD_LINE = ",".join(GOOD.values()).encode()
GOOD_OBJECT = {**GOOD, "ID": 1, "BALANCE": 1.5, "ACTIVE": True}
# Texts that are not of a type, though some parser somewhere takes them.
NOT_OF_TYPE = {
    "integer": ["1.5", "abc", "9223372036854775808", "1e3", "0x1F", "--1", "1'000", "١٢", "1 2", "NaN", "½", "1L", "+"],
    "double": ["NaN", "Infinity", "-inf", "1e999", "1d", "0x1p3", "1.2.3", "abc", "--1", "1e", "e5", "€5", "1_000",
               "."],
    "date": ["1950", "1950-13-01", "1950-02-30", "01.02.1950", "1950/01/01", "19500101", "1950-1-1", "yesterday",
             "0000-00-00", "1950-01-01T00:00:00", "1950-W01-1", "-1950-01-01", "epoch"],
    "timestamp": ["noon", "2026-03-01", "2026-03-01T25:00:00Z", "2026-03-01T00:00:61Z", "2026-02-30T00:00:00Z",
                  "1700000000",
                  "2026-03-01T00:00", "01/03/2026 00:00:00", "2026-03-01T00:00:00+99:00",
                  "2026-03-01T00:00:00 Europe/Paris", "now"],
    "boolean": ["yes", "no", "1", "0", "t", "wahr", "truefalse", "TRUE!", "on", "null"],
    "string": [],
}  # fmt: skip
NOT_TEXT = [b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"Caf\xe9", b"\0", b"a\0b", b"x" * 100_001]
OF_OTHER_TYPES: list[Any] = [7, 1.5, True, "text", [1], {"a": 1}, [], {}]
FITTING = {"integer": (7,), "double": (7, 1.5), "boolean": (True,), "string": ("text",)}
SEED = 20260101


def csv_rows() -> Iterator[bytes]:
    """Lines that are no row of the columns above; none has a quote that is not closed, or a line break."""
    for name, kind in COLUMNS.items():
        texts = [text.encode() for text in NOT_OF_TYPE[kind]] + NOT_TEXT
        for text in texts:
            for cell in (text, b'"' + text + b'"')[: 1 if b"\0" in text else 2]:  # quoted NULs refuse the file
                yield b",".join(cell if other == name else GOOD[other].encode() for other in NAMES)
    for width in [*range(1, 6), *range(7, 60)]:
        yield b",".join([b"1"] * width)
    chance = random.Random(SEED)
    for _ in range(100):
        yield bytes(chance.choice(b"abcxyz,;|\t\xe9\xff\0\x7f$%") for _ in range(chance.randint(8, 200)))


def json_rows() -> Iterator[bytes]:
    """Lines that are no object of the columns above."""
    for name, kind in COLUMNS.items():
        for value in OF_OTHER_TYPES:
            fits = any(type(value) is type(fitting) and value == fitting for fitting in FITTING.get(kind, ()))
            if not fits:
                yield json.dumps({**GOOD_OBJECT, name: value}).encode()
        for text in NOT_OF_TYPE[kind] if kind in ("date", "timestamp") else ():
            yield json.dumps({**GOOD_OBJECT, name: text}).encode()
    for number in ("1e999", "-1e999", "9" * 5000, "9223372036854775808", "1.25"):
        yield json.dumps(GOOD_OBJECT).encode().replace(b'"ID": 1', b'"ID": ' + number.encode())
    for text in (b"\\u0000", b"\\ud800", b"\\udfff x", b"\\x", b"\xff", b"x" * 100_001, b"\t\x01"):
        yield json.dumps(GOOD_OBJECT).encode().replace(b"Ada", text)
    whole = json.dumps(GOOD_OBJECT).encode()
    yield from (whole[:length] for length in range(1, len(whole)))
    yield from (
        b"[]",
        b"null",
        b"true",
        b"17",
        b'"text"',
        b"NaN",
        b"{}{}",
        b"{'ID': 1}",
        b"[" * 50_000,
        b'{"ID":1,"ID":2}',
    )
    chance = random.Random(SEED)
    for _ in range(60):
        yield bytes(chance.choice(b'{}[]":,0a\xff\0') for _ in range(chance.randint(3, 80))) + b"?"


def files() -> Iterator[tuple[str, bytes]]:
    """Names and contents of files, each of which as the only one of a source is none."""
    yield from ((f"{number}.csv", content) for number, content in enumerate(_csv_files()))
    yield from ((f"{number}.csv.gz", content) for number, content in enumerate(_compressed(_good_csv())))
    yield from ((f"{number}.json", content) for number, content in enumerate(_json_files()))
    good = b"\n".join(json.dumps({**GOOD_OBJECT, "ID": n}).encode() for n in range(500))
    yield from ((f"{number}.json.gz", content) for number, content in enumerate(_compressed(good)))
    yield from ((f"{number}.parquet", content) for number, content in enumerate(_parquet_files()))


def configurations(text: str, *, free: set[str]) -> Iterator[str]:
    """Files of YAML that are none of the kind that `text` is; under the keys `free` any name may stand."""
    content = yaml.safe_load(text)
    for path in _paths(content):
        for value in ({"a": {"b": 1}}, [[1]], "\u2603 %%"):
            if not (isinstance(value, str) and (path[-1] in FREE_TEXT or "hyperparameters" in path)):
                yield yaml.safe_dump(_changed(content, path, value))
    for path in _mappings(content):
        if not path or path[-1] not in free:
            yield yaml.safe_dump(_changed(content, (*path, "unheard_of"), 1))
    for name in content:
        yield yaml.safe_dump({key: value for key, value in content.items() if key != name}) + f"{name}: [\n"
    lines = text.splitlines()
    yield from ("\n".join([*lines[:number], "\t{broken: [", *lines[number:]]) for number in range(len(lines)))
    yield from (
        "",
        "[]",
        "17",
        "text",
        "null",
        "--- a\n--- b",
        "a: b: c",
        "&a *b",
        "!!python/object:os.system {}",
        "\0",
        "%",
    )


FREE_TEXT = {"title", "owner", "connection", "table", "host", "database", "bucket", "problem", "key", "positive"}


def _good_csv() -> bytes:
    return b"\n".join([HEADER, *(GOOD_LINE.replace(b"1,", b"%d," % number, 1) for number in range(500))]) + b"\n"


def _csv_files() -> Iterator[bytes]:
    yield from (b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", GOOD_LINE, b"\0" * 1000, b",,,,,\n" + GOOD_LINE)
    for position, name in enumerate(NAMES):
        for other in ("", name + "x", "Ada Lovelace", name + " ", NAMES[position - 1], "é", "\u2603", "x" * 5000):
            header = [other if there == name else there for there in NAMES]
            yield ",".join(header).encode() + b"\n" + GOOD_LINE
        yield ",".join(there for there in NAMES if there != name).encode() + b"\n" + GOOD_LINE
        yield ",".join([*NAMES, name]).encode() + b"\n" + GOOD_LINE
        cells = list(GOOD.values())
        for broken in ('"\0"', '"' + cells[position], '"a"b', '"a" ', 'a"\n"b'):
            cells[position] = broken
            yield HEADER + b"\n" + GOOD_LINE + b"\n" + ",".join(cells).encode() + b"\n" + GOOD_LINE + b"\n"
    text = (HEADER + b"\n" + GOOD_LINE).decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037", "utf-32-be"):
        yield codecs.encode(text, encoding)
    yield from (text.replace(",", mark).encode() for mark in (";", "\t", "|", ":", " "))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", text)
    yield from (buffer.getvalue(), gzip.compress(text.encode()), _parquet(), json.dumps(GOOD_OBJECT).encode())
    chance = random.Random(SEED)
    yield from (chance.randbytes(chance.randint(10, 3000)) for _ in range(20))


def _compressed(content: bytes) -> Iterator[bytes]:
    """The content as gzip has it, and then not quite."""
    whole = gzip.compress(content)
    yield from (whole[: len(whole) * part // 12] for part in range(1, 12))
    yield from (b"no gzip", content, whole[:-8] + b"\0" * 8, whole[:20] + b"\xff" * 20 + whole[40:])


def _json_files() -> Iterator[bytes]:
    for name in NAMES:
        yield json.dumps({key: value for key, value in GOOD_OBJECT.items() if key != name}).encode()
        yield json.dumps({(name.lower() if key == name else key): value for key, value in GOOD_OBJECT.items()}).encode()
        yield json.dumps({**GOOD_OBJECT, f"{name} of spouse": 1}).encode()
    yield json.dumps([GOOD_OBJECT], indent=2).encode()
    yield from (codecs.encode(json.dumps(GOOD_OBJECT), encoding) for encoding in ("utf-16", "utf-32", "cp037"))
    chance = random.Random(SEED)
    yield from (chance.randbytes(chance.randint(10, 3000)) for _ in range(10))


def _parquet(drop: str | None = None, **others: Any) -> bytes:
    values: dict[str, Any] = {
        "ID": pa.array([1], pa.int64()),
        "NAME": pa.array(["Ada"]),
        "BORN": pa.array([0], pa.date32()),
        "BALANCE": pa.array([1.5]),
        "ACTIVE": pa.array([True]),
        "CHANGED": pa.array([0], pa.timestamp("us", tz="UTC")),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: array for name, array in {**values, **others}.items() if name != drop}), buffer)
    return buffer.getvalue()


def _parquet_files() -> Iterator[bytes]:
    whole = _parquet()
    yield from (whole[: len(whole) * part // 20] for part in range(20))
    yield from (
        b"PAR1" + b"\0" * 100 + b"PAR1",
        b"PAR1",
        whole[:-8] + b"\xff\xff\xff\x7fPAR1",
        HEADER,
        gzip.compress(whole),
    )
    yield from (whole[:-8] + bytes([0, 0, 0, byte]) + b"PAR1" for byte in (0, 1, 127, 255))
    for name in NAMES:
        yield _parquet(drop=name)
        yield _parquet(**{f"{name}_2": pa.array([1])})
        yield _parquet(**{name: pa.array([[1]])})
        yield _parquet(**{name: pa.array([b"\xff"], pa.binary())})
        yield _parquet(**{name: pa.array([{"a": 1}])})


def _paths(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where scalars stand."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _paths(value, (*path, name))
    elif not isinstance(content, list):
        yield path


def _mappings(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(content, dict):
        yield path
        for name, value in content.items():
            yield from _mappings(value, (*path, name))


def _changed(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(content)
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return changed
