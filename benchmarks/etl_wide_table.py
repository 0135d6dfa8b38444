"""One million rows of fifty columns, CSV in and checked Parquet out: with personal-data work, without it, in DuckDB."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from unittest import mock

import duckdb

from benchmarks.etl_bench import Bench, etl_bench, model_over
from benchmarks.measurement import Measurement
from benchmarks.wide_table import CATEGORIES, NUMBERS, specification, write_csv
from pipeline_scripts.etl.job import work
from pipeline_scripts.etl.keyed_hash import hmac_pads

ROWS = 1_000_000
ROUNDS = 1
COMMAND = "python -m benchmarks etl_wide_table"


def measure() -> Iterator[Measurement]:
    """Run the three in turn, after one of each to warm up, and compare them round by round."""
    with etl_bench() as bench:
        csv = bench.folder / "table.csv"
        write_csv(ROWS, csv)
        bench.clients.s3.upload_file(str(csv), "source", "bench/table.csv")
        rounds = [
            (_job(bench, n, treated=True), _job(bench, n, treated=False), _duckdb(csv)) for n in range(ROUNDS + 1)
        ]
    detail = {"rows": ROWS, "columns": 9 + NUMBERS + CATEGORIES, "seconds": rounds[1:], "warm_up": rounds[0]}
    overhead = median(ours / plain for ours, plain, _ in rounds[1:])
    against = median(ours / single for ours, _, single in rounds[1:])
    yield Measurement(name="etl_overhead_ratio", value=overhead, unit="x", command=COMMAND, detail=detail)
    yield Measurement(name="etl_vs_single_node_ratio", value=against, unit="x", command=COMMAND, detail=detail)


def _job(bench: Bench, number: int, *, treated: bool) -> float:
    """Seconds of one whole run into an empty lake."""
    place = f"{'ours' if treated else 'plain'}-{number}"
    arguments = replace(
        bench.arguments,
        curated_uri=f"s3://curated/{place}",
        vault_uri=f"s3://vault/{place}",
        shared_vault_uri=f"s3://vault/{place}/shared",
    )
    model = model_over(specification(treated=treated), format="csv")
    # Without personal columns no value is compared; that no pattern is looked for either takes this.
    without = (
        contextlib.nullcontext() if treated else mock.patch("pipeline_scripts.etl.run.find_patterns", lambda **_: [])
    )
    started = time.perf_counter()
    with without:
        work(spark=bench.spark, model=model, arguments=arguments, clients=bench.clients)
    return round(time.perf_counter() - started, 2)


def _duckdb(csv: Path) -> float:
    """Seconds of the same treatments in DuckDB, without a check, a vault or a manifest."""
    inner, outer = (f"unhex('{pad.hex()}')" for pad in hmac_pads(bytes(range(32))))
    hashed = ", ".join(
        f"sha256({outer} || unhex(sha256({inner} || encode({name})))) AS {name.lower()}_hash"
        for name in ("ACCOUNT", "EMAIL", "PHONE")
    )
    numbers = ", ".join(f"NUMBER_{n} AS number_{n}" for n in range(NUMBERS))
    categories = ", ".join(f"CATEGORY_{n} AS category_{n}" for n in range(CATEGORIES))
    age = "date_diff('year', BIRTH, DATE '2026-01-01')"
    query = f"""
        COPY (
            SELECT row_number() OVER (ORDER BY CUSTOMER_ID) AS customer_ref, {hashed},
                CASE WHEN {age} < 18 THEN '<18' WHEN {age} < 30 THEN '18-29' WHEN {age} < 40 THEN '30-39'
                     WHEN {age} < 50 THEN '40-49' WHEN {age} < 60 THEN '50-59' WHEN {age} < 70 THEN '60-69'
                     ELSE '70+' END AS age_group,
                left(POSTCODE, 2) AS region, NOTE AS note, {numbers}, {categories}
            FROM read_csv('{csv}', header = true, types = {{'POSTCODE': 'VARCHAR', 'PHONE': 'VARCHAR'}})
        ) TO '{csv.with_suffix(".parquet")}' (FORMAT parquet, COMPRESSION zstd)
    """
    started = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        connection.execute(query)
    return round(time.perf_counter() - started, 2)
