"""The machine is gone at every single change that a run makes to S3: what is published then, and after the next run."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from benchmarks.etl_bench import derby_job, etl_bench
from benchmarks.measurement import Measurement
from tests.runtime.etl.bank import NOON, Bank, at

COMMAND = "python -m benchmarks crashes"
MODES: dict[str, dict[str, Any]] = {
    "full": {"mode": "full"},
    "incremental": {},
    "backfill": {"mode": "backfill", "backfill_from": date(2026, 1, 1), "backfill_to": NOON.date()},
}


def measure() -> Iterator[Measurement]:
    """Crash the first run, then runs of every mode, at each of their changes in turn."""
    wrong, crashes = 0, {}
    with etl_bench() as bench:
        for name, arguments in {"first": {}, **MODES}.items():
            bank = Bank(derby_job(bench, f"crash_{name}"))
            for key in range(1, 30):
                bank.put(key, 1000 + key, at(key))
            if name != "first":
                bank.run()
            crashes[name], wrongs = _crash_everywhere(bank, arguments)
            wrong += wrongs
    yield Measurement(
        name="crash_rows_lost_or_doubled", value=wrong, unit="rows", command=COMMAND, detail={"crashes": crashes}
    )


def _crash_everywhere(bank: Bank, arguments: dict[str, Any]) -> tuple[int, int]:
    """How many crashes there were, and how many rows of a readable version were lost or doubled by them."""
    wrong, change = 0, 1
    known = _published(bank)
    while True:
        bank.put(1000 + change, 5000 + change, at(60 + change))
        bank.put(1 + change % 29, 3000 + change, at(60 + change))
        died = bank.crash(change=change, **arguments)
        found, expected = _published(bank), bank.truth()
        wrong += 0 if found == expected or (died and found == known) else _difference(found, expected)
        known = found
        if not died:
            return change - 1, wrong
        change += 1


def _published(bank: Bank) -> list[int]:
    """The scores of the published version; none where there is none yet."""
    try:
        return bank.published()
    except bank.job.clients.s3.exceptions.NoSuchKey:
        return []


def _difference(found: list[int], expected: list[int]) -> int:
    return sum(abs(found.count(score) - expected.count(score)) for score in {*found, *expected})
