import hashlib
import hmac
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pipeline_scripts.etl.bands import band_labels, bounds_reached, latest_birth
from pipeline_scripts.etl.content import content_hash
from pipeline_scripts.etl.keyed_hash import hmac_pads, keyed_hash, with_key
from pipeline_scripts.etl.treatments import pseudonymise
from tests.runtime.etl.workbench import COLUMNS, HASH_KEY, Job, model_of, published


def test_every_treatment_on_real_rows(job: Job) -> None:
    job.run()
    digests = [hmac.new(HASH_KEY, f"DE0210010010000682010{n}".encode(), "sha256").hexdigest() for n in (2, 4, 1)]
    names = ("ref", "iban_hash", "age_group", "income", "region", "city", "score", "churned")
    assert [tuple(row[name] for name in names) for row in published(job)] == [
        (1, digests[0], "<18", "1000-1999", "80", "Łódź, old", 700, 1),
        (2, digests[1], None, None, "1", "東京", 845, 1),
        (3, digests[2], "18-29", "<1000", "10", "Köln", 612, 0),
        (4, None, "70+", "2000+", None, None, None, 0),
    ]


def test_output_has_the_declared_columns_in_order_and_their_types(job: Job) -> None:
    job.run()
    manifest = job.json(job.json("s3://curated/clients/current.json")["manifest_uri"])
    kinds = ["integer", "string", "string", "string", "string", "string", "integer", "integer"]
    outputs = [column["output"] for column in COLUMNS.values() if column.get("output")]
    assert manifest["columns"] == [{"name": n, "type": k} for n, k in zip(outputs, kinds, strict=True)]
    assert list(published(job)[0]) == outputs


@pytest.mark.parametrize("length", [32, 64, 65, 200])
def test_keyed_hash_equals_pythons_hmac(spark: SparkSession, length: int) -> None:
    key = hashlib.shake_256(b"key").digest(length)
    texts = ["", "a", "x" * 500, "Chloé Ünal", "東京 🏦", "tab\tnew\nline", "\x00zero", None]
    frame = with_key(spark.createDataFrame([(text,) for text in texts], "value string"), key=key, spark=spark)
    answers = {row[0]: row[1] for row in frame.select("value", keyed_hash(F.col("value"))).collect()}
    expected = {t: None if t is None else hmac.new(key, t.encode(), "sha256").hexdigest() for t in texts}
    assert answers == expected


def test_key_stands_in_no_query_plan(spark: SparkSession) -> None:
    model = model_of({"ID": COLUMNS["ID"] | {"treatment": "keep"}, "IBAN": COLUMNS["IBAN"]})
    frame = spark.createDataFrame([(1, "DE02")], "ID bigint, IBAN string")
    hashed = pseudonymise(frame, model=model, key=HASH_KEY, as_of=date(2026, 1, 1), spark=spark)
    hashed.collect()
    plan = hashed._jdf.queryExecution().toString().lower()
    assert "hmac" in plan  # the plan does speak of the hash
    inner, outer = hmac_pads(HASH_KEY)
    for secret in (HASH_KEY, inner, outer):
        assert secret[:8].hex() not in plan
        assert str(list(secret[:8]))[1:-1] not in plan


@pytest.mark.parametrize(
    ("bounds", "labels"),
    [((18, 30, 70), ("<18", "18-29", "30-69", "70+")), ((5,), ("<5", "5+")), ((1, 2, 4), ("<1", "1", "2-3", "4+"))],
)
def test_band_labels(bounds: tuple[int, ...], labels: tuple[str, ...]) -> None:
    assert band_labels(bounds) == labels


@given(
    birth=st.dates(date(1900, 1, 1), date(2024, 1, 1)),
    as_of=st.dates(date(2024, 1, 1), date(2040, 1, 1)),
    bound=st.integers(0, 120),
)
def test_age_is_counted_in_completed_years(birth: date, as_of: date, bound: int) -> None:
    age = as_of.year - birth.year - ((as_of.month, as_of.day) < (birth.month, birth.day))
    assert bounds_reached(birth, kind="date", bounds=[bound], as_of=as_of) == [age >= bound]


def test_leap_day_has_its_birthday_in_march() -> None:
    assert latest_birth(age=18, as_of=date(2026, 2, 28)) == date(2008, 2, 28)
    assert latest_birth(age=18, as_of=date(2028, 2, 29)) == date(2010, 2, 28)


def test_number_that_is_none_has_no_band(spark: SparkSession) -> None:
    columns = {"ID": COLUMNS["ID"] | {"treatment": "keep"}, "INCOME": COLUMNS["INCOME"]}
    frame = spark.createDataFrame([(1, float("nan")), (2, -5.0), (3, 1999.99)], "ID bigint, INCOME double")
    rows = pseudonymise(frame, model=model_of(columns), key=HASH_KEY, as_of=date(2026, 1, 1), spark=spark).collect()
    assert [row["income"] for row in rows] == [None, "<1000", "1000-1999"]


def test_content_hash_tells_rows_and_not_files(spark: SparkSession) -> None:
    rows = [(n, None if n % 7 == 0 else f"text {n}", n / 3) for n in range(200)]
    columns = [{"name": name, "type": "any"} for name in "abc"]

    def hashed(changed: list[Any], parts: int = 1, schema: str = "a bigint, b string, c double") -> str:
        return content_hash(spark.createDataFrame(changed, schema).repartition(parts), columns=columns)

    expected = hashed(rows)
    assert hashed(rows[::-1], parts=3) == expected
    for changed in ([*rows, rows[0]], rows[1:], [(0, "", 0.0), *rows[1:]], [(0, None, 1e-9), *rows[1:]]):
        assert hashed(changed) != expected
    # Of the same rows as before on another JVM: this must hold wherever the test runs.
    anywhere = "b19ae843d39e0ccb738bba012761b1b789d20295b6f17f8185d825e757118715"
    assert content_hash(spark.range(3).toDF("a"), columns=[{"name": "a", "type": "integer"}]) == anywhere
