"""Which rows a run reads."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_scripts.etl.arguments import Arguments
from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.sources.source import EVERYTHING, Watermark, Window
from pipeline_scripts.etl.window import Plan, plan_hash, plan_run, watermark_from_json, watermark_to_json
from tests.runtime.etl.workbench import COLUMNS, model_of

NOW = datetime(2026, 3, 10, 2, tzinfo=timezone.utc)
CHANGED = COLUMNS | {"CHANGED": {"type": "timestamp", "treatment": "drop"}}
MODEL = model_of(CHANGED, watermark="CHANGED", overlap=30, full_refresh_days=7)
LAST = datetime(2026, 3, 9, 2, tzinfo=timezone.utc)
NEWEST = datetime(2026, 3, 10, 1, 59, tzinfo=timezone.utc)


def asked(**changed: Any) -> Arguments:
    names = ("engine", "pseudonym_secret_arn", "curated_uri", "vault_uri", "shared_vault_uri", "code_commit")
    return Arguments(**dict.fromkeys(names, "x") | {"as_of": date(2026, 3, 10)} | changed)


def version(**changed: Any) -> dict[str, Any]:
    return {
        "watermark": watermark_to_json(LAST),
        "plan_hash": plan_hash(MODEL),
        "read_in_full_at": (NOW - timedelta(days=6)).isoformat(),
    } | changed


def plan(**changed: Any) -> Plan:
    given: dict[str, Any] = {"model": MODEL, "arguments": asked(), "published": version(), "newest": NEWEST, "now": NOW}
    return plan_run(**given | changed)


def test_a_run_reads_what_changed_since_the_last_and_a_little_before() -> None:
    planned = plan()
    assert planned.mode == "incremental"
    assert planned.window == Window(low=LAST - timedelta(minutes=30), high=NEWEST)
    assert planned.watermark == NEWEST


def test_the_first_run_reads_everything() -> None:
    planned = plan(published=None)
    assert (planned.mode, planned.window, planned.watermark) == ("full", Window(high=NEWEST), NEWEST)


def test_a_model_without_a_watermark_is_always_read_as_a_whole() -> None:
    planned = plan(model=model_of(COLUMNS), newest=None)
    assert (planned.mode, planned.window, planned.watermark) == ("full", EVERYTHING, None)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"arguments": asked(mode="full")}, "it was asked for"),
        ({"published": version(plan_hash="other")}, "columns or treatments changed"),
        ({"published": version(watermark=None)}, "columns or treatments changed"),
        ({"published": version(read_in_full_at=(NOW - timedelta(days=7)).isoformat())}, "7 days since everything"),
        ({"newest": LAST - timedelta(seconds=1)}, "older than the last version"),
    ],
)
def test_everything_is_read_where_a_part_would_not_do(changed: dict[str, Any], why: str) -> None:
    planned = plan(**changed)
    assert planned.mode == "full"
    assert planned.window.low is None
    assert why in planned.why


def test_a_row_from_the_future_is_read_and_does_not_carry_the_watermark_along() -> None:
    planned = plan(newest=NOW + timedelta(days=300))
    assert planned.window.high == NOW + timedelta(days=300)
    assert planned.watermark == NOW


def test_a_source_that_lost_its_rows_keeps_the_watermark() -> None:
    assert plan(newest=None).watermark == LAST


def test_numbers_and_days_reach_back_by_their_own_unit() -> None:
    for kind, last, low in (("integer", 1000, 970), ("date", date(2026, 3, 9), date(2026, 2, 7))):
        model = model_of(COLUMNS | {"CHANGED": {"type": kind, "treatment": "drop"}}, watermark="CHANGED", overlap=30)
        published = version(watermark=watermark_to_json(last), plan_hash=plan_hash(model))
        assert plan(model=model, published=published, newest=last).window.low == low


def test_a_backfill_reads_whole_days_and_leaves_the_watermark() -> None:
    days = {"backfill_from": date(2025, 1, 1), "backfill_to": date(2025, 1, 31)}
    planned = plan(arguments=asked(mode="backfill", **days))
    assert planned.mode == "backfill"
    assert planned.window.low == datetime(2025, 1, 1, tzinfo=timezone.utc)
    assert planned.window.high == datetime(2025, 1, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)
    assert planned.watermark == LAST


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"model": model_of(COLUMNS)}, "needs a model whose watermark is a date or a timestamp"),
        ({"published": None}, "there is none; run with --mode full"),
        ({"published": version(plan_hash="other")}, "there is none; run with --mode full"),
    ],
)
def test_a_backfill_that_cannot_be_is_refused(changed: dict[str, Any], sentence: str) -> None:
    days = {"backfill_from": date(2025, 1, 1), "backfill_to": date(2025, 1, 31)}
    with pytest.raises(EtlError, match=sentence):
        plan(**{"arguments": asked(mode="backfill", **days)} | changed)


@given(
    st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.dates(),
        st.datetimes(timezones=st.just(timezone.utc)),
    )
)
def test_a_watermark_survives_the_manifest(value: Watermark) -> None:
    back = watermark_from_json(watermark_to_json(value))
    assert back == value
    assert type(back) is type(value)


def test_another_treatment_is_another_plan() -> None:
    assert plan_hash(model_of(COLUMNS)) != plan_hash(MODEL)
    bands = COLUMNS | {"BORN": COLUMNS["BORN"] | {"bands": [18, 70]}}
    assert plan_hash(model_of(COLUMNS)) != plan_hash(model_of(bands))
    assert plan_hash(model_of(COLUMNS)) == plan_hash(model_of(COLUMNS, fetch_size=7))
