"""Spark's errors in one clear sentence. Their own texts quote rows, so of them only kinds and file names are told."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from pipeline_scripts.etl import errors
from pipeline_scripts.etl.errors import EtlError

# What a kind of Java exception, or a phrase of its text, means to the person who mends it; the first that fits is told.
MEANINGS = (
    (r"not a parquet file|footer|parquet\.", "is not Parquet, or is damaged; write it again"),
    (
        r"not a gzip|EOFException|ZipException|incorrect (header|data)|unexpected end",
        "is cut off, or not compressed as its name says; write it again",
    ),
    (r"TextParsingException", "breaks the rules of CSV; quote cells with quotes, and double the quotes within"),
    (r"FileNotFound|NoSuchKey|does not exist", "vanished while it was read; run again when the source stands still"),
    (r"AccessDenied|Forbidden|Status Code: 403", "must not be read by this job; allow its role to"),
    (r"OutOfMemory|heap space", "does not fit into memory; raise source.partitions, or lower source.fetch_size"),
)
OURS = re.compile(r"pipeline_scripts\.etl\.errors\.(\w+): (.*)")
FILE = re.compile(r"\b(?:s3|s3a|file):/[^\s,;:)\]\"']*/([^\s/,;:)\]\"']+)")


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Run an action of Spark; `what` names its subject, as in "source: a.csv".

    Raises:
        EtlError: The action failed. A refusal that a reader raised on an executor arrives as what it was there.
    """
    try:
        yield
    except (Py4JError, PySparkException) as error:
        raise _refusal(error, what) from None  # the cause quotes rows


def _refusal(error: Exception, what: str) -> EtlError:
    ours = OURS.search(str(error))
    kind = getattr(errors, ours[1], None) if ours else None
    if ours and isinstance(kind, type) and issubclass(kind, EtlError):
        return kind(ours[2].strip())
    chain = list(_chain(error))
    state = next((state for _, _, state in chain if state), None)
    if state is not None:
        return EtlError(f"{what}: the database refused with SQLSTATE {state}; its log says what and why")
    texts = [f"{name}: {text}" for name, text, _ in chain]
    file = next((match[1].rstrip(".") for text in texts if (match := FILE.search(text))), None)
    subject = what if file and file in what else f"{what}: {file or 'a part of it'}"
    for pattern, meaning in MEANINGS:
        if any(re.search(pattern, text, re.IGNORECASE) for text in texts):
            return EtlError(f"{subject} {meaning}")
    names = [name for name, _, _ in chain] or [type(error).__name__]
    return EtlError(f"{subject} made Spark stop with {names[-1].rpartition('.')[2]}; the job's log has the place")


def _chain(error: Exception) -> Iterator[tuple[str, str, str | None]]:
    """The Java exceptions from the outermost to the first cause: their class, their text, and a database's SQLSTATE."""
    cause: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while cause is not None:
        name = str(cause.getClass().getName())
        state = cause.getSQLState() if re.search(r"SQL\w*Exception$", name) and hasattr(cause, "getSQLState") else None
        yield name, str(cause.getMessage()), state
        cause = cause.getCause()
