"""Random days of a bank: late, equal and updated rows, runs that overtake each other, crashes. What is lost of it?"""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3

from benchmarks.etl_bench import derby_job, etl_bench
from benchmarks.measurement import Measurement
from pipeline_scripts.etl.storage import Overtaken
from tests.runtime.etl.bank import OVERLAP, Bank, at

COMMAND = "python -m benchmarks watermarks"
DAYS, SEED = 20, 20260101


def measure() -> Iterator[Measurement]:
    """Let the days pass, and compare what is published with the table after each undisturbed run."""
    draw = random.Random(SEED)
    wrong, happened = 0, dict.fromkeys(("new", "equal", "late", "updated", "two at once", "crash"), 0)
    with etl_bench() as bench:
        bank = Bank(derby_job(bench, "watermarks"))
        clock = 0.0
        for key in range(1, 50):
            bank.put(key, 1000 * key, at(clock))
        bank.run()
        for day in range(1, DAYS + 1):
            clock = _change(bank, draw, clock, day, happened)
            _disturb(bank, draw, happened)
            bank.run()
            found, expected = bank.published(), bank.truth()
            wrong += sum(abs(found.count(score) - expected.count(score)) for score in {*found, *expected})
    detail = {"runs": DAYS, "happened": happened}
    yield Measurement(name="watermark_rows_lost_or_doubled", value=wrong, unit="rows", command=COMMAND, detail=detail)


def _change(bank: Bank, draw: random.Random, clock: float, day: int, happened: dict[str, int]) -> float:
    """A day's transactions; the newest row's minute is the new clock."""
    for number in range(draw.randint(0, 6)):
        kind = draw.choice(("new", "equal", "late", "updated"))
        happened[kind] += 1
        minute = {"equal": clock, "late": clock - draw.uniform(0, OVERLAP - 0.1)}.get(kind)
        if minute is None:
            minute = clock = clock + draw.uniform(0, 3)
        key = draw.choice(list(bank.rows)) if kind == "updated" else 10_000 * day + number
        bank.put(key, 1_000_000 * day + number, at(minute))
    return clock


def _disturb(bank: Bank, draw: random.Random, happened: dict[str, int]) -> None:
    """Some days two runs are at work at once, or one dies."""
    what = draw.choice(("nothing", "two at once", "crash"))
    if what == "crash":
        happened[what] += 1
        bank.crash(change=draw.randint(1, 8))
    if what == "two at once":
        happened[what] += 1
        try:
            bank.run(clients=replace(bank.job.clients, s3=_Overtaken(bank)))
        except Overtaken:
            return


class _Overtaken:
    """An S3 client that lets another run of the same job publish just before its own does."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._client: Any = boto3.client("s3")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_object(self, **arguments: Any) -> Any:
        """Replace an object; the pointer, when another run already has."""
        if arguments["Key"].endswith("/current.json") and "surrogates" not in arguments["Key"]:
            self._bank.run(clients=replace(self._bank.job.clients, s3=boto3.client("s3")))
        return self._client.put_object(**arguments)
