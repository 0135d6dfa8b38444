import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import boto3
import pytest

from pipeline_scripts.etl.errors import EtlError, RunQuarantined
from pipeline_scripts.etl.storage import Objects
from tests.runtime.etl.bank import Crashing
from tests.runtime.etl.workbench import COLUMNS, NEWCOMERS, ROWS, Job, Row, model_of, published

POINTER = "s3://curated/clients/current.json"
CITY = 6


def ordinals(job: Job) -> dict[int | None, int]:
    """Ordinal by score: the test's rows have a score of their own each."""
    return {row["score"]: row["ref"] for row in published(job)}


def test_summary_and_manifest_tell_what_was_published(job: Job) -> None:
    summary = job.run()
    pointer = job.json(POINTER)
    manifest = job.json(pointer["manifest_uri"])
    assert summary == {"mode": "full", "read": 4, "rejected": 0, "rows": 4, "new_surrogates": 4} | {
        name: manifest[name] for name in ("run_id", "dataset_hash")
    }
    assert pointer == {
        "run_id": summary["run_id"],
        "dataset_uri": f"s3://curated/clients/runs/{summary['run_id']}/",
        "manifest_uri": f"s3://curated/clients/runs/{summary['run_id']}/_manifest.json",
        "dataset_hash": summary["dataset_hash"],
        "rows": 4,
    }
    assert (manifest["as_of"], manifest["code_commit"], manifest["rows"]) == ("2026-01-15", "c0ffee", 4)
    assert sum(file["rows"] for file in manifest["files"]) == 4
    listed = job.clients.s3.get_object(Bucket="curated", Key="clients/current/files")["Body"].read().decode()
    assert listed.split() == [pointer["dataset_uri"] + file["name"] for file in manifest["files"]]
    objects = Objects(job.clients.s3)
    for file in manifest["files"]:
        assert objects.fingerprint(pointer["dataset_uri"] + file["name"]) == (
            file["sha256"],
            file["bytes"],
        )


def test_same_source_gives_the_same_hash_whatever_its_order(job: Job) -> None:
    first = job.run()
    job.database.fill(list(reversed(ROWS)))
    second = job.run()
    assert first["dataset_hash"] == second["dataset_hash"]
    assert first["run_id"] != second["run_id"]
    job.database.fill([(*ROWS[0][:-1], 1), *ROWS[1:]])
    assert job.run()["dataset_hash"] != first["dataset_hash"]


def test_many_files_keep_the_hash_and_the_rows(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_scripts.etl.staging.ROWS_PER_FILE", 20)
    rows = [(n, f"Person {n}", None, None, None, None, None, n, 0) for n in range(50)]
    job.database.fill(rows)
    first = job.run()
    job.database.fill(rows[::-1])
    assert job.run()["dataset_hash"] == first["dataset_hash"]
    assert len(job.json(job.json(POINTER)["manifest_uri"])["files"]) == 3
    assert ordinals(job) == {n: n + 1 for n in range(50)}


def test_surrogates_are_stable_and_newcomers_get_the_next_ones(job: Job) -> None:
    job.run()
    assert ordinals(job) == {700: 1, 845: 2, 612: 3, None: 4}
    job.database.fill([*NEWCOMERS, *ROWS[1:]])  # two came, one left
    assert job.run()["new_surrogates"] == 2
    assert ordinals(job) == {700: 1, 845: 2, None: 4, 1: 5, 2: 6}
    job.database.fill([*ROWS, (60, "Gro Ny", None, None, None, None, None, 3, 0)])  # one came back, two left
    job.run()
    assert ordinals(job) == {700: 1, 845: 2, 612: 3, None: 4, 3: 7}


def test_rows_of_one_person_share_their_ordinal(job: Job) -> None:
    job.database.fill([ROWS[0], (*ROWS[0][:7], 613, 0), ROWS[1]])
    assert job.run()["new_surrogates"] == 2
    assert ordinals(job) == {700: 1, 612: 2, 613: 2}


def test_vault_holds_a_segment_for_each_run_with_newcomers_and_staging_nothing(job: Job) -> None:
    first = job.run()["run_id"]
    job.run()
    job.database.fill([*ROWS, *NEWCOMERS])
    second = job.run()["run_id"]
    segments = [f"{first}-1", f"{second}-5"]
    pointer = "clients/surrogates/ID/current.json"
    assert job.json(f"s3://vault/{pointer}") == {"segments": segments, "next_ordinal": 7}
    assert {name.rpartition("/")[0] for name in job.names("s3://vault/") if name != pointer} == {
        f"clients/surrogates/ID/{segment}" for segment in segments
    }


def test_many_segments_become_one(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_scripts.etl.surrogates.MOST_SEGMENTS", 1)
    job.run()
    job.database.fill([*ROWS, *NEWCOMERS])
    job.run()
    assert len(job.json("s3://vault/clients/surrogates/ID/current.json")["segments"]) == 1
    assert ordinals(job) == {700: 1, 845: 2, 612: 3, None: 4, 1: 5, 2: 6}


def test_two_runs_at_once_cannot_give_an_ordinal_twice(job: Job) -> None:
    pointer = "s3://vault/clients/surrogates/ID/current.json"

    class Overtaken(Crashing):
        """Somebody else gives ordinals whenever this run is about to write."""

        def _counted(self, operation: Callable[..., Any]) -> Callable[..., Any]:
            self.changes += 1
            Objects(job.clients.s3).write_json(pointer, {"segments": [], "next_ordinal": 9 * self.changes})
            return operation

    with pytest.raises(EtlError, match="another run changed it meanwhile"):
        job.run(clients=replace(job.clients, s3=Overtaken(job.clients.s3, at=1)))
    assert job.json(pointer)["segments"] == []
    assert job.names("s3://curated/") == []


def test_a_run_that_was_overtaken_in_the_vault_gives_the_ordinals_after_those(job: Job) -> None:
    pointer = "s3://vault/clients/surrogates/ID/current.json"

    class OvertakenOnce(Crashing):
        def _counted(self, operation: Callable[..., Any]) -> Callable[..., Any]:
            self.changes += 1
            if self.changes == 1:
                Objects(job.clients.s3).write_json(pointer, {"segments": [], "next_ordinal": 9})
            return operation

    job.run(clients=replace(job.clients, s3=OvertakenOnce(job.clients.s3, at=1)))
    assert ordinals(job) == {700: 9, 845: 10, 612: 11, None: 12}


def test_two_runs_at_once_cannot_both_publish(job: Job) -> None:
    job.run()

    class Overtaken(Crashing):
        """Another run publishes just before this one does."""

        def _counted(self, operation: Callable[..., Any]) -> Callable[..., Any]:
            def call(**arguments: Any) -> Any:
                if arguments["Key"].endswith("clients/current.json"):
                    job.run(clients=replace(job.clients, s3=boto3.client("s3")))
                return operation(**arguments)

            return call

        CHANGES = ("put_object",)

    job.database.fill([*ROWS, *NEWCOMERS])
    with pytest.raises(EtlError, match="another run changed it meanwhile"):
        job.run(clients=replace(job.clients, s3=Overtaken(job.clients.s3, at=0)))
    assert len(published(job)) == 6
    assert job.json(POINTER)["rows"] == 6


def test_personal_values_in_a_kept_column_quarantine_the_run(job: Job) -> None:
    job.run()
    before, files = job.json(POINTER), job.names("s3://curated/")
    planted = {"NAME": "Ada Lindqvist", "IBAN": "DE02100100100006820101", "BORN": "2008-01-15"}
    planted |= {"POSTCODE": "10117", "ID": "4711"}
    people = [*ROWS, (4711, *NEWCOMERS[0][1:])]
    leaking = [(*row[:CITY], city, *row[CITY + 1 :]) for row, city in zip(people, planted.values(), strict=True)]
    job.database.fill(leaking)
    with pytest.raises(RunQuarantined, match="nothing was published") as problem:
        job.run()
    for column, value in planted.items():
        assert f"city: holds 1 value(s) of {column}; drop, hash or generalise it" in str(problem.value)
        assert value not in str(problem.value)
    assert job.json(POINTER) == before
    assert job.names("s3://curated/") == files
    locked = job.names("s3://vault/clients/quarantine/")
    assert any(name.endswith(".parquet") for name in locked)
    assert any(name.endswith("reasons.json") for name in locked)
    assert job.names("s3://vault/clients/staging/") == []


def test_personal_data_inside_kept_free_text_quarantines_the_run(job: Job) -> None:
    notes = [
        "moved to Köln, order 4500012345 of 2026-01-15, owes 1,234.50",
        "asks for offers at someone.else@example.org",
        "pays from GB82 WEST 1234 5698 7654 32 now",
    ]

    def fill(*texts: str) -> None:
        job.database.fill([(*NEWCOMERS[0][:CITY], text, n, 0) for n, text in enumerate(texts)])

    fill(notes[0])
    job.run()
    before, files = job.json(POINTER), job.names("s3://curated/")
    fill(*notes)
    with pytest.raises(RunQuarantined, match="nothing was published") as problem:
        job.run()
    for kind in ("IBAN", "e-mail address"):
        assert f"city: 1 different text(s) hold what looks like a personal {kind}" in str(problem.value)
    assert not any(value in str(problem.value) for value in ("someone", "GB82", "WEST"))
    assert job.json(POINTER) == before
    assert job.names("s3://curated/") == files
    locked = job.names("s3://vault/clients/quarantine/")
    assert any(name.endswith(".parquet") for name in locked)
    assert any(name.endswith("reasons.json") for name in locked)


def test_short_values_and_kept_prefixes_are_no_leak(job: Job) -> None:
    rows = [list(row) for row in ROWS]
    rows[0][CITY], rows[1][CITY] = "10", "103"  # a region's prefix, and an identifier of three digits
    job.database.fill([tuple(row) for row in rows])
    assert job.run()["rows"] == 4


def test_lost_row_quarantines_the_run(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline_scripts.etl import staging

    write = staging.Staging.write
    monkeypatch.setattr(
        staging.Staging, "write", lambda self, frame, part, rows: write(self, frame.limit(3), part=part, rows=rows)
    )
    with pytest.raises(RunQuarantined, match="rows: 1 were lost"):
        job.run()
    assert job.names("s3://curated/") == []


def test_crash_at_any_change_leaves_a_whole_version(job: Job) -> None:
    # A narrow table, since this runs the job once for every change that it makes.
    job.model = model_of({name: COLUMNS[name] for name in ("ID", "NAME", "SCORE")})
    customers: list[Row] = [(103, "Ada", 612), (101, "Bo", 700)]

    def fill(*more: Row) -> None:
        job.database.fill([*customers, *more], 'ID INT, "NAME" VARCHAR(9), SCORE INT')

    fill()
    job.run()
    before, kept = job.json(POINTER), published(job)
    counting = Crashing(job.clients.s3, at=0)
    fill((50, "Eva", 1))
    job.run(clients=replace(job.clients, s3=counting))
    assert counting.changes >= 6  # vault, its pointer, staging, copy, manifest, pointer
    Objects(job.clients.s3).write_json(POINTER, before)
    for change in range(1, counting.changes + 1):
        fill((50, "Eva", 1), (900 + change, "X", 10 * change))
        crashing = Crashing(job.clients.s3, at=change)
        try:
            job.run(clients=replace(job.clients, s3=crashing))
        except ConnectionError:
            rows = published(job)
            assert rows == kept or len(rows) == 4, f"half a version after change {change}"
    fill((50, "Eva", 1), (5000, "Finn", 2))
    assert job.run()["rows"] == 4
    final = ordinals(job)
    assert final == {700: 1, 612: 2, 1: 3, 2: final[2]}
    assert final[2] > 3


def test_log_tells_counts_and_no_value(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="baton.etl")
    job.run()
    assert "read 4 rows" in caplog.text
    for row in ROWS:
        assert not any(str(value) in caplog.text for value in row[1:4] if value is not None)


def test_text_keeps_every_character(job: Job) -> None:
    cities = ['say "hi", it\'s', "línea\nnueva", "tab\there", "🏦", "  spaces  ", "NULL", "\\N", ""]
    job.database.fill([(n, None, None, None, None, None, city, n, 0) for n, city in enumerate(cities)])
    job.run()
    assert [row["city"] for row in published(job)] == cities


def test_model_without_personal_columns_is_published_as_it_is(job: Job) -> None:
    columns = {
        "ID": COLUMNS["ID"] | {"treatment": "keep", "output": "id"},
        "BORN": {"type": "date", "treatment": "keep", "output": "born"},
    }
    job.database.fill([(2, date(2000, 2, 29)), (1, None)], "ID INT, BORN DATE")
    assert job.run(model=model_of(columns))["new_surrogates"] == 0
    assert published(job) == [{"id": 1, "born": None}, {"id": 2, "born": date(2000, 2, 29)}]
    assert job.names("s3://vault/") == []
