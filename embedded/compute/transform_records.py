"""A transform job's records: split from an object, gathered into payloads, assembled again."""

from collections.abc import Iterator

_MEGABYTE = 1024 * 1024


class PayloadTooLarge(Exception):
    """A record is larger than a payload may be."""


def split(content: bytes, *, split_type: str) -> list[bytes]:
    """The records of an object: its lines, or all of it as one."""
    if split_type != "Line":
        return [content]
    lines = content.split(b"\n")
    return [line.removesuffix(b"\r") for line in (lines[:-1] if lines[-1] == b"" else lines)]


def payloads(records: list[bytes], *, strategy: str, limit_mb: int) -> Iterator[list[bytes]]:
    """The records in the groups that are sent together.

    Args:
        records: The records in their order.
        strategy: `SingleRecord`, or `MultiRecord` for as many as fit.
        limit_mb: The largest payload; 0 sets no limit.

    Raises:
        PayloadTooLarge: A record alone is larger.
    """
    limit = limit_mb * _MEGABYTE if limit_mb else None
    group: list[bytes] = []
    size = 0
    for record in records:
        if limit is not None and len(record) > limit:
            raise PayloadTooLarge(
                f"ClientError: a record of {len(record)} bytes is larger than MaxPayloadInMB of {limit_mb}"
            )
        more = size + len(record) + 1
        if group and (strategy == "SingleRecord" or (limit is not None and more - 1 > limit)):
            yield group
            group, more = [], len(record) + 1
        group.append(record)
        size = more
    if group:
        yield group


def assemble(answers: list[bytes], *, assemble_with: str) -> bytes:
    """The answers as one object: put together as they are, or each ended by a newline."""
    if assemble_with != "Line":
        return b"".join(answers)
    return b"".join(answer if answer.endswith(b"\n") else answer + b"\n" for answer in answers)
