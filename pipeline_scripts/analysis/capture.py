"""Reading what an endpoint captured, and the labels that came later.

A line of a capture file is one invocation, of one row or more, encoded as CSV, JSON or BASE64. A line that cannot be
read is counted, never fatal: one broken line must not blind a monitor. Times within a window are compared in whole
seconds, because that is how captures state them.
"""

import base64
import binascii
import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline_scripts.model import Model


@dataclass(frozen=True, kw_only=True)
class Window:
    """From when (inclusive) until when (exclusive) to look; None leaves that end open."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime | None) -> bool:
        """Does the moment lie inside? One that is not known does."""
        if moment is None:
            return True
        second = moment.replace(microsecond=0)
        after_start = self.start is None or second >= self.start.replace(microsecond=0)
        before_end = self.end is None or second < _next_full_second(self.end)
        return after_start and before_end


def _next_full_second(moment: datetime) -> datetime:
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + timedelta(seconds=1)


def parse_time(text: str | None) -> datetime | None:
    """An ISO time, in UTC where it names no zone; None when it is none."""
    try:
        moment = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or timezone.utc)


@dataclass(kw_only=True)
class Capture:
    """Rows in the order of their capture. `raw` holds values as they came, None where a field was left out."""

    raw: dict[str, list[Any]]
    events: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    absent: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    malformed: int = 0
    latest: datetime | None = None

    def __len__(self) -> int:
        """How many rows were captured."""
        return len(self.events)

    def typed(self, model: Model) -> tuple[pd.DataFrame, dict[str, int]]:
        """The rows at the model's types, and how many values of each input are of another type and so missing."""
        columns, faults = {}, {}
        for name, values in self.raw.items():
            kind = model.kind(name)
            converted = [_convert(value, kind) for value in values]
            faults[name] = sum(value is _FAULT for value in converted)
            kept = [None if value is _FAULT else value for value in converted]
            columns[name] = pd.Series(kept, dtype="object" if kind == "string" else "float64")
        return pd.DataFrame(columns), faults


_FAULT: Any = object()
_ANSWER = {"binary_classification": "probability", "regression": "value"}  # its key in JSON


def _convert(value: Any, kind: str) -> Any:
    if value is None or value == "":
        return None
    if kind == "string":
        return value if isinstance(value, str) else _FAULT
    text = str(value).strip().lower()
    if kind == "boolean" and text in ("true", "false"):
        return float(text == "true")
    try:
        number = float(text)
    except ValueError:
        return _FAULT
    whole = kind == "double" or number.is_integer()
    return number if np.isfinite(number) and whole else _FAULT


def read_capture(folder: Path, model: Model, window: Window) -> Capture:
    """Read every `*.jsonl` below a folder."""
    capture = Capture(raw={name: [] for name in model.inputs})
    for line in _lines(folder):
        try:
            _take(capture, json.loads(line), model, window)
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, csv.Error, RecursionError):
            capture.malformed += 1
    return capture


def _lines(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open(encoding="utf-8", errors="replace") as stream:
            yield from (line for line in stream if line.strip())


def _take(capture: Capture, content: dict[str, Any], model: Model, window: Window) -> None:
    """Add one invocation. Everything that can fail comes before the first change."""
    metadata = content["eventMetadata"]
    moment = parse_time(metadata.get("inferenceTime"))
    event = metadata.get("inferenceId") or metadata["eventId"]
    rows = _rows(content["captureData"]["endpointInput"], model.inputs)
    scores = _scores(content["captureData"].get("endpointOutput"), model)
    if not window.holds(moment):
        return
    if len(scores) != len(rows):  # a refused request has no answer to a row
        scores = [float("nan")] * len(rows)
    for place, (row, score) in enumerate(zip(rows, scores, strict=True)):
        for name in model.inputs:
            capture.raw[name].append(row.get(name))
        capture.absent.update(name for name in model.inputs if name not in row)
        capture.extra.update(name for name in row if name not in capture.raw)
        capture.events.append(event)
        capture.places.append(place)
        capture.scores.append(score)
    if moment is not None:
        capture.latest = max(capture.latest or moment, moment)


def _text(part: dict[str, Any]) -> tuple[str, str]:
    """The payload and its form, CSV or JSON."""
    data, encoding = part["data"], part["encoding"]
    if encoding == "BASE64":
        data = base64.b64decode(data, validate=True).decode("utf-8")
        encoding = "JSON" if "json" in str(part.get("observedContentType")).lower() else "CSV"
    if encoding not in ("CSV", "JSON"):
        raise ValueError(f"unknown encoding {encoding}")
    return data, encoding


def _rows(part: dict[str, Any], inputs: tuple[str, ...]) -> list[dict[str, Any]]:
    data, encoding = _text(part)
    if encoding == "JSON":
        return [dict(row) for row in _objects(data, "instances")]
    rows = [row for row in csv.reader(io.StringIO(data, newline="")) if row]
    if rows and tuple(rows[0]) == inputs:
        rows = rows[1:]
    names = [*inputs, *(f"_c{place}" for place in range(len(inputs), max(map(len, rows), default=0)))]
    return [dict(zip(names, row, strict=False)) for row in rows]


def _scores(part: dict[str, Any] | None, model: Model) -> list[float]:
    """The answers to the rows of a request; none when it holds something else, as an error message."""
    if part is None:
        return []
    data, encoding = _unwrapped(*_text(part))
    try:
        if encoding == "JSON":
            return [float(item[_ANSWER[model.problem]]) for item in _objects(data, "predictions")]
        return [float(line.split(",")[0]) for line in data.splitlines() if line.strip()]
    except (ValueError, KeyError, TypeError):
        return []


def _unwrapped(data: str, encoding: str) -> tuple[str, str]:
    """What the model answered, where an online explainer wraps its answers; else the payload as it is."""
    with suppress(json.JSONDecodeError):
        match json.loads(data) if encoding == "JSON" else None:
            case {"explanations": _, "predictions": {"content_type": str(kind), "data": str(answers)}}:
                return answers, "JSON" if "json" in kind.lower() else "CSV"
    return data, encoding


def _objects(data: str, key: str) -> list[Any]:
    """The items under a key of one JSON object, or the objects of JSON Lines."""
    try:
        content = json.loads(data)
    except json.JSONDecodeError:
        return [json.loads(line) for line in data.splitlines() if line.strip()]
    return list(content.get(key, [content]))


def read_labels(folder: Path | None, model: Model) -> dict[tuple[str, int], float]:
    """The outcomes by event and row within it: the number, or 1 for the positive value, else 0.

    A later file corrects an earlier one.
    """
    found: dict[tuple[str, int], float] = {}
    for line in _lines(folder) if folder else ():
        try:
            content = json.loads(line)
            event = content["eventMetadata"]["eventId"]
            data = str(content["groundTruthData"]["data"])
            known = {place: _outcome(text, model) for place, text in enumerate(data.splitlines()) if text.strip()}
        except (ValueError, KeyError, TypeError):
            continue
        found.update({(event, place): outcome for place, outcome in known.items()})
    return found


def _outcome(text: str, model: Model) -> float:
    if not model.regression:
        return float(text.strip() == str(model.positive))
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no outcome")
    return number


def labelled(
    capture: Capture, labels: dict[tuple[str, int], float]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The rows that have both an answer and an outcome: which they are, their outcomes, their answers."""
    keys = list(zip(capture.events, capture.places, strict=True))
    scores = np.asarray(capture.scores, dtype=np.float64)
    rows = np.array([row for row, key in enumerate(keys) if key in labels and np.isfinite(scores[row])], dtype=np.int64)
    return rows, np.array([labels[keys[row]] for row in rows], dtype=np.float64), scores[rows]
