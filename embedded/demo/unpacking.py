"""Looking into what was stored: archives, compressed files, tables, JSON, base64."""

import base64
import gzip
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as parquet

# Archives in archives end here: nothing of ours nests deeper, and a bomb would.
DEEPEST = 4


def contents(name: str, content: bytes, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """Every readable part of an object: (where, bytes)."""
    if depth > DEEPEST:
        raise ValueError(f"{name}: more than {DEEPEST} archives inside one another")
    if content[:2] == b"\x1f\x8b":
        yield from contents(f"{name} (unpacked)", gzip.decompress(content), depth + 1)
    elif content[:4] == b"PK\x03\x04":
        yield from _zip(name, content, depth)
    elif content[257:262] == b"ustar":
        yield from _tar(name, content, depth)
    elif content[:4] == b"PAR1":
        yield from _parquet(name, content)
    else:
        yield name, content
        if content[:1] in (b"{", b"["):
            yield f"{name} (as JSON)", b"\n".join(_json_texts(content))


def _zip(name: str, content: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            yield from contents(f"{name} > {member.filename}", archive.read(member), depth + 1)


def _tar(name: str, content: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                yield from contents(f"{name} > {member.name}", file.read(), depth + 1)


def _parquet(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    table = parquet.read_table(io.BytesIO(content))
    yield f"{name} > names", "\n".join(table.column_names).encode()
    for column in table.column_names:
        values = table.column(column).unique().to_pylist()
        yield f"{name} > {column}", "\n".join(str(value) for value in values if value is not None).encode()


def _json_texts(content: bytes) -> Iterator[bytes]:
    """Every text in a JSON document or in JSON lines, with escapes and base64 undone."""
    for document in _documents(content):
        yield from _texts(document)


def _documents(content: bytes) -> Iterator[Any]:
    try:
        yield json.loads(content)
    except ValueError:
        for line in content.splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue  # not JSON after all: the raw bytes are searched anyway


def _texts(node: Any) -> Iterator[bytes]:
    if isinstance(node, dict):
        if node.get("encoding") == "BASE64" and isinstance(node.get("data"), str):
            yield _unbase64(node["data"])
        for key, value in node.items():
            yield key.encode()
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
    elif isinstance(node, str):
        yield node.encode(errors="replace")


def _unbase64(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except (ValueError, zlib.error):
        return b""
