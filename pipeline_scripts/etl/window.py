"""Which rows a run reads: everything, what changed since the last version, or the days that somebody asks for.

What is published says how far its rows reach, so that version and watermark change together, at once: a run that dies
at any point is repeated from the same place. Rows are matched by key, so reading one twice does no harm, and every
window begins a little before the last one ended, because a transaction may commit after a later one was read.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Literal

from pipeline_scripts.etl.arguments import Arguments
from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.sources.source import EVERYTHING, Watermark, Window
from pipeline_scripts.model import Model

Mode = Literal["full", "incremental", "backfill"]
LAST_MODIFIED = "last_modified"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run reads, why, and how far the version it publishes will reach.

    In `full` mode the rows read are the version; else they replace and join those that are published.
    """

    mode: Mode
    window: Window
    watermark: Watermark | None
    why: str


def watermark_kind(model: Model) -> str | None:
    """The type of the model's watermark: integer, date or timestamp; None where it names none."""
    name = model.source["watermark"]
    if name is None or name == LAST_MODIFIED:
        return None if name is None else "timestamp"
    return next(column.type for column in model.columns if column.name == name)


def plan_run(
    *, model: Model, arguments: Arguments, published: Mapping[str, Any] | None, newest: Watermark | None, now: datetime
) -> Plan:
    """Decide what to read.

    Args:
        model: Names the watermark, its overlap, and how often everything is read.
        arguments: What was asked for.
        published: The manifest of the current version, None where there is none.
        newest: The source's largest watermark.
        now: The moment, in UTC.

    Raises:
        EtlError: A backfill was asked for that cannot be.
    """
    kind = watermark_kind(model)
    if arguments.mode == "backfill":
        return _backfill(model, arguments, published, kind)
    reach = None if newest is None else _no_later_than(newest, now)
    everything = Window(high=newest) if newest is not None else EVERYTHING
    why = "it was asked for" if arguments.mode == "full" else _why_full(model, published, kind, newest, now)
    if why is not None or published is None:
        return Plan(mode="full", window=everything, watermark=reach, why=why or "there is no version yet")
    last = watermark_from_json(published["watermark"])
    assert last is not None  # or everything would be read
    low = _before(last, model.source["overlap"])
    return Plan(
        mode="incremental",
        window=Window(low=low, high=newest),
        watermark=max((last, reach), key=_order) if reach is not None else last,
        why=f"what changed since {last}",
    )


def plan_hash(model: Model) -> str:
    """A hash of what decides how a row is published: a version made by another plan cannot be added to."""
    plan = {
        "key": model.key,
        "watermark": model.source["watermark"],
        "columns": [
            [column.name, column.type, column.treatment, column.output, column.bands, column.prefix, column.domain]
            for column in model.columns
        ],
    }
    return hashlib.sha256(json.dumps(plan).encode()).hexdigest()


def watermark_to_json(value: Watermark | None) -> dict[str, Any] | None:
    """A watermark as the manifest holds it."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return {"type": "timestamp", "value": value.astimezone(timezone.utc).isoformat()}
    return {"type": "integer" if isinstance(value, int) else "date", "value": str(value)}


def watermark_from_json(content: Mapping[str, Any] | None) -> Watermark | None:
    """Read back what `watermark_to_json` wrote."""
    if content is None:
        return None
    if content["type"] == "timestamp":
        return datetime.fromisoformat(content["value"])
    return int(content["value"]) if content["type"] == "integer" else date.fromisoformat(content["value"])


def _why_full(
    model: Model, published: Mapping[str, Any] | None, kind: str | None, newest: Watermark | None, now: datetime
) -> str | None:
    if kind is None:
        return "the model names no watermark"
    if published is None:
        return "there is no version yet"
    last = watermark_from_json(published["watermark"])
    if published["plan_hash"] != plan_hash(model) or last is None:
        return "columns or treatments changed since the last version"
    if newest is not None and _order(newest) < _order(last):
        return "the source is older than the last version, as after a restore"
    age = now - datetime.fromisoformat(published["read_in_full_at"])
    days = model.source["full_refresh_days"]
    return f"it is {days} days since everything was read" if age >= timedelta(days=days) else None


def _backfill(model: Model, arguments: Arguments, published: Mapping[str, Any] | None, kind: str | None) -> Plan:
    first, last = arguments.backfill_from, arguments.backfill_to
    if kind not in ("date", "timestamp") or first is None or last is None:
        raise EtlError("arguments: --mode backfill needs a model whose watermark is a date or a timestamp")
    if published is None or published["plan_hash"] != plan_hash(model):
        raise EtlError(
            "arguments: --mode backfill adds to a published version of the same columns and treatments, and there is "
            "none; run with --mode full"
        )
    window = Window(low=first, high=last)
    if kind == "timestamp":
        window = Window(
            low=datetime.combine(first, time.min, timezone.utc), high=datetime.combine(last, time.max, timezone.utc)
        )
    return Plan(
        mode="backfill",
        window=window,
        watermark=watermark_from_json(published["watermark"]),
        why=f"the days from {first} to {last} were asked for",
    )


def _no_later_than(newest: Watermark, now: datetime) -> Watermark:
    """A row from the future must not carry the watermark past those that are still to come."""
    if isinstance(newest, datetime):
        return min(newest, now)
    return min(newest, now.date()) if isinstance(newest, date) else newest


def _before(last: Watermark, overlap: int) -> Watermark:
    if isinstance(last, datetime):
        return last - timedelta(minutes=overlap)
    return last - timedelta(days=overlap) if isinstance(last, date) else last - overlap


def _order(value: Watermark) -> Any:
    """Watermarks of one source are of one type, which their common type cannot say."""
    return value
