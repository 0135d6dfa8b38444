"""What a transform job's DataProcessing does: filter what goes in, join it with what comes out, filter the result."""

import csv
import io
import json
import uuid
from collections.abc import Mapping
from typing import Any

from embedded.compute.job import now
from embedded.compute.json_path import PathError, Selector, compile_path

_CSV, _JSON, _LINES = "text/csv", "application/json", "application/jsonlines"
_ID, _TIME = "SageMakerInferenceId", "SageMakerInferenceTime"


class JoinFailed(Exception):
    """Input and output cannot be filtered or joined; the message is the job's FailureReason."""


class Association:
    """How the records of one job are filtered and joined.

    Args:
        processing: Its DataProcessing.
        content_type: What its input is.
        identified: Whether each answer gets an id and its time, as a capture that matches labels needs.

    Raises:
        JoinFailed: A filter cannot be read, or the input is of a kind that has no parts.
    """

    def __init__(self, *, processing: Mapping[str, Any], content_type: str, identified: bool) -> None:
        self._filters_input = processing.get("InputFilter", "$") != "$"
        self._filters_output = processing.get("OutputFilter", "$") != "$"
        self._joins = processing.get("JoinSource", "None") == "Input"
        self._identified = identified
        self._csv = _kind(content_type) == _CSV
        self._input = self._path(processing.get("InputFilter", "$"))
        self._output = self._path(processing.get("OutputFilter", "$"))
        if (self._filters_input or self.reads_answers) and _kind(content_type) not in (_CSV, _JSON, _LINES):
            raise JoinFailed(
                f"ClientError: DataProcessing needs a ContentType of {_CSV}, {_JSON} or {_LINES}, not {content_type!r}"
            )

    @property
    def reads_answers(self) -> bool:
        """Whether answers are taken apart at all; otherwise they are stored as they come."""
        return self._filters_output or self._joins or self._identified

    def sent(self, record: bytes) -> bytes:
        """What of a record the container gets."""
        if not self._filters_input:
            return record
        return self._written(self._selected(self._input, self._read(record)))

    def stored(self, records: list[bytes], answer: bytes) -> bytes:
        """What is stored for records that were sent together, and their answer.

        Raises:
            JoinFailed: There is not exactly one answer for each record.
        """
        if not self.reads_answers:
            return answer
        lines = answer.decode("utf-8").splitlines() if len(records) > 1 or self._csv else [answer.decode("utf-8")]
        if len(lines) != len(records):
            raise JoinFailed(
                f"ClientError: the container answered {len(lines)} lines to {len(records)} records; "
                "they cannot be joined. Let it answer one line for each record"
            )
        joined = [self._result(record, self._read(line.encode())) for record, line in zip(records, lines, strict=True)]
        return b"".join(self._written(self._selected(self._output, result)) + b"\n" for result in joined)

    def _result(self, record: bytes, output: Any) -> Any:
        marks = [str(uuid.uuid4()), f"{now():%Y-%m-%dT%H:%M:%SZ}"] if self._identified else []
        if self._csv:
            before = self._read(record) if self._joins else []
            return [*before, *output, *marks]
        named = dict(zip((_ID, _TIME), marks, strict=False))
        if self._joins:
            given = self._read(record)
            before = given if isinstance(given, dict) else {"SageMakerInput": given}
            return {**before, "SageMakerOutput": output, **named}
        if not named:
            return output
        return {**(output if isinstance(output, dict) else {"SageMakerOutput": output}), **named}

    def _read(self, record: bytes) -> Any:
        text = record.decode("utf-8")
        if self._csv:
            return next(csv.reader([text]), [])
        try:
            return json.loads(text)
        except ValueError as error:
            raise JoinFailed(f"ClientError: {text[:80]!r} is not JSON, so it cannot be filtered or joined") from error

    def _written(self, value: Any) -> bytes:
        if not self._csv:
            return json.dumps(value).encode()
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(value if isinstance(value, list) else [value])
        return line.getvalue().encode()

    @staticmethod
    def _path(expression: str) -> Selector:
        try:
            return compile_path(expression)
        except PathError as error:
            raise JoinFailed(f"ClientError: {error}") from error

    @staticmethod
    def _selected(path: Selector, value: Any) -> Any:
        try:
            return path(value)
        except PathError as error:
            raise JoinFailed(f"ClientError: {error}") from error


def _kind(content_type: str) -> str:
    return content_type.split(";")[0].strip().lower()
