"""Runs that read what changed: nothing is lost and nothing is doubled, whatever arrives when."""

import pytest

from pipeline_scripts.etl.errors import EtlError, SourceRefused
from tests.runtime.etl.bank import COLUMNS, Bank, at
from tests.runtime.etl.workbench import Job, model_of, published


@pytest.fixture
def bank(job: Job) -> Bank:
    bank = Bank(job)
    for key in range(1, 5):
        bank.put(key, 10 * key, at(20 * key))
    assert bank.run()["mode"] == "full"
    return bank


def test_new_and_updated_rows_are_read_and_the_others_stay(bank: Bank) -> None:
    bank.put(2, 21, at(100))
    bank.put(9, 90, at(101))
    summary = bank.run()
    assert (summary["mode"], summary["read"], summary["rows"]) == ("incremental", 3, 5)  # and the last one again
    assert bank.published() == [10, 21, 30, 40, 90]
    assert {row["ref"]: row["score"] for row in published(bank.job)} == {1: 10, 2: 21, 3: 30, 4: 40, 5: 90}


def test_rows_as_new_as_the_last_one_and_late_ones_are_read(bank: Bank) -> None:
    bank.put(8, 80, at(80))  # at the very moment of the last watermark
    bank.put(7, 70, at(80 - 9))  # committed after the last run, begun before it
    assert bank.run()["mode"] == "incremental"
    assert bank.published() == [10, 20, 30, 40, 70, 80]


def test_a_row_without_a_watermark_is_read_each_time_and_never_doubled(bank: Bank) -> None:
    bank.put(6, 60, None)
    bank.run()
    bank.put(6, 61, None)
    bank.run()
    assert bank.published() == [10, 20, 30, 40, 61]


def test_a_run_after_no_change_publishes_the_same_content(bank: Bank) -> None:
    first, second = bank.run(), bank.run()
    assert first["dataset_hash"] == second["dataset_hash"]
    assert bank.published() == [10, 20, 30, 40]


def test_nothing_in_the_window_leaves_the_version_as_it_is(bank: Bank) -> None:
    before = bank.job.json("s3://curated/clients/current.json")
    bank.rows.clear()
    assert bank.run()["read"] == 0
    assert bank.job.json("s3://curated/clients/current.json") == before


def test_deleted_rows_go_with_the_next_full_run(bank: Bank) -> None:
    del bank.rows[1]
    bank.run()
    assert bank.published() == [10, 20, 30, 40]
    assert bank.run(mode="full")["mode"] == "full"
    assert bank.published() == [20, 30, 40]


def test_a_backfill_reads_its_days_and_the_next_run_goes_on_where_it_was(bank: Bank) -> None:
    bank.put(5, 50, at(-3 * 24 * 60))  # too late for any overlap
    bank.run()
    assert 50 not in bank.published()
    day = at(-3 * 24 * 60).date()
    assert bank.run(mode="backfill", backfill_from=day, backfill_to=day)["read"] == 1
    assert bank.published() == [10, 20, 30, 40, 50]
    bank.put(2, 22, at(160))
    assert bank.run()["mode"] == "incremental"
    assert bank.published() == [10, 22, 30, 40, 50]


def test_a_changed_treatment_makes_the_next_run_read_everything(bank: Bank) -> None:
    bank.job.model = model_of(
        COLUMNS | {"NAME": {"type": "string", "treatment": "keyed_hash", "output": "who"}},
        watermark="CHANGED",
        overlap=10,
        full_refresh_days=366,
    )
    assert bank.run()["mode"] == "full"
    assert all(len(row["who"]) == 64 for row in published(bank.job))


def test_a_key_that_stands_in_two_rows_is_refused(bank: Bank) -> None:
    bank.rows[100] = (1, "Twin", 11, at(90))
    bank.rows[101] = (1, "Twin", 12, at(91))
    with pytest.raises(SourceRefused, match=r"ID: 1 key\(s\) stand in more than one row"):
        bank.run()
    assert bank.published() == [10, 20, 30, 40]


def test_a_breaking_change_of_columns_is_refused_until_the_version_is_raised(bank: Bank) -> None:
    without = {name: column for name, column in COLUMNS.items() if name != "SCORE"}
    without |= {"SCORE": {"type": "integer", "treatment": "keep", "output": "points"}}
    bank.job.model = model_of(without, watermark="CHANGED")
    with pytest.raises(SourceRefused, match=r"score: would be gone, and is published as integer; .*version: 2"):
        bank.run()
    bank.job.model.settings["dataset"]["version"] = 2
    assert bank.run()["mode"] == "full"
    bank.job.model.settings["dataset"]["version"] = 1
    with pytest.raises(EtlError, match="version 2 is published and the model says 1; deploy the newer model"):
        bank.run()


def test_a_machine_that_is_gone_at_any_change_costs_no_row_and_doubles_none(bank: Bank) -> None:
    before = bank.published()
    bank.put(2, 22, at(100))
    bank.put(5, 50, at(101))
    change = 1
    while bank.crash(change=change):
        assert bank.published() in (before, bank.truth()), f"half a version after change {change}"
        bank.put(100 + change, 1000 + change, at(101 + change))
        before = bank.published()
        change += 1
    assert change > 6  # vault, its pointer, staging, copy, manifest, pointer
    assert bank.published() == bank.truth()
    refs = [row["ref"] for row in published(bank.job)]
    assert len(refs) == len(set(refs))
