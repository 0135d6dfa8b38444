"""How many personal values the check finds that were planted in a million written rows, and how many it makes up."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from benchmarks.etl_bench import Bench, etl_bench, model_over
from benchmarks.measurement import Measurement
from embedded.sample.customers import customers
from pipeline_scripts.etl.leaks import find_leaks, find_patterns
from pipeline_scripts.model import Model

ROWS, PLANTED, PEOPLE = 1_000_000, 500, 200_000
COMMAND = "python -m benchmarks personal_values"
PERSONAL = ("CUSTOMER_ID", "FULL_NAME", "ACCOUNT_NUMBER", "EMAIL", "PHONE", "ADDRESS")
CLEAN = (
    "asked on 12.03.2026 about the fee of 49.90 and order 2026-004711",
    "paid 1,250.00 in 12 parts, terminal 192.168.10.7, version 3.4.1",
    "branch 0042 moved to number 17 in 2024; case 20260312/88 is closed",
    "wants a limit of 25000 instead of 10000 from 2027 on",
    "happy with the app (4.5 of 5), reference AB-1234, call 3 of 3",
)
SURROUNDINGS = "spoke with {} at the counter, all is well"


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way in which a value comes to stand in a free text."""

    name: str
    column: str
    written: Any


WAYS = (
    Way(name="name in a sentence", column="FULL_NAME", written=str),
    Way(name="name in capitals", column="FULL_NAME", written=str.upper),
    Way(name="surname alone", column="FULL_NAME", written=lambda value: value.split()[-1]),
    Way(name="name, surname first", column="FULL_NAME", written=lambda v: f"{v.split()[-1]}, {v.split()[0]}"),
    Way(name="IBAN", column="ACCOUNT_NUMBER", written=str),
    Way(name="IBAN in groups", column="ACCOUNT_NUMBER", written=lambda value: re.sub("(.{4})", r"\1 ", value).strip()),
    Way(name="e-mail address", column="EMAIL", written=str),
    Way(name="phone number", column="PHONE", written=str),
    Way(name="customer number", column="CUSTOMER_ID", written=str),
    Way(name="address", column="ADDRESS", written=str),
)


def measure() -> Iterator[Measurement]:
    """Plant values in a kept column and in free text, and let the check look for them."""
    with etl_bench() as bench:
        people = customers(rows=PEOPLE, seed=7)
        source = bench.spark.createDataFrame(people[list(PERSONAL)].astype(str)).persist()
        source.count()
        missed, in_columns = _whole_values(bench, source, people)
        recall, ways, false_alarms = _free_text(bench, source, people)
    yield Measurement(
        name="personal_values_missed", value=missed, unit="values", command=COMMAND, detail={"planted": in_columns}
    )
    detail = {"rows": ROWS, "planted_each": PLANTED, "recall_by_way": ways, "false_alarms_in_clean_rows": false_alarms}
    yield Measurement(name="free_text_recall", value=recall, unit="share", command=COMMAND, detail=detail)
    yield Measurement(
        name="free_text_false_alarms", value=false_alarms, unit="sentences", command=COMMAND, detail={"rows": ROWS}
    )


def _whole_values(bench: Bench, source: DataFrame, people: pd.DataFrame) -> tuple[int, dict[str, int]]:
    """Values of every personal column as the whole content of a kept text: how many were not found."""
    model = _model(free_text=False)
    planted = [value for name in PERSONAL for value in _some(people, name)]
    output = _output(bench, "city", planted, clean=("Bern", "Łódź", "東京"))
    found = _counts(find_leaks(source=source, output=output, model=model))
    return sum(PLANTED - found.get(name, 0) for name in PERSONAL), dict.fromkeys(PERSONAL, PLANTED)


def _free_text(bench: Bench, source: DataFrame, people: pd.DataFrame) -> tuple[float, dict[str, float], int]:
    """The share of sentences with a planted value that is found, by way of writing it; and alarms in clean ones."""
    model = _model(free_text=True)
    clean = _output(bench, "city", [], clean=CLEAN)
    alarms = find_leaks(source=source, output=clean, model=model) + find_patterns(output=clean, model=model)
    shares = {}
    for way in WAYS:
        sentences = [SURROUNDINGS.format(way.written(value)) for value in _some(people, way.column)]
        shares[way.name] = round(_found(bench, source, model, sentences) / len(sentences), 3)
    return round(sum(shares.values()) / len(shares), 4), shares, len(alarms)


def _found(bench: Bench, source: DataFrame, model: Model, sentences: Sequence[str]) -> int:
    """How many of the sentences are found, at least: the check counts values and texts by kind; the most is taken."""
    output = _output(bench, "city", list(sentences), clean=())
    problems = find_leaks(source=source, output=output, model=model) + find_patterns(output=output, model=model)
    return min(len(sentences), max(_counts(problems).values(), default=0))


def _output(bench: Bench, column: str, planted: list[str], *, clean: Sequence[str]) -> DataFrame:
    rows = bench.spark.createDataFrame([(value,) for value in planted] or [("",)], f"{column} string")
    if not clean:
        return rows
    choices = F.array(*(F.lit(text) for text in clean))
    filler = bench.spark.range(ROWS - len(planted)).select(
        F.element_at(choices, (F.col("id") % len(clean) + 1).cast("int")).alias(column)
    )
    return reduce(DataFrame.unionByName, [filler, rows])


def _some(people: pd.DataFrame, name: str) -> list[str]:
    chosen = np.random.default_rng(11).choice(people[name].astype(str).unique(), PLANTED, replace=False)
    return [str(value) for value in chosen]


def _counts(problems: list[str]) -> dict[str, int]:
    """What the sentences of the check count, by the column or the kind they name."""
    counts: dict[str, int] = {}
    for problem in problems:
        number, what = re.findall(r"(\d+) (?:value\(s\) of (\S+?);|different)", problem)[0]
        counts[what or problem] = int(number)
    return counts


def _model(*, free_text: bool) -> Model:
    columns: dict[str, Any] = {name: {"type": "string", "treatment": "drop"} for name in PERSONAL}
    columns["CITY"] = {"type": "string", "treatment": "keep", "output": "city", "free_text": free_text}
    return model_over(columns)
