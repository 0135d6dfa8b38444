from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from pipeline_scripts.etl.connection import JdbcConnection, find_connection
from pipeline_scripts.etl.errors import SourceRefused
from pipeline_scripts.etl.schema import match_columns
from pipeline_scripts.etl.sources.jdbc import JdbcSource
from pipeline_scripts.etl.sources.source import EVERYTHING, PROBLEM
from pipeline_scripts.model import Model
from tests.runtime.etl.workbench import COLUMNS, DDL, ROWS, Job, model_of


def connection(job: Job) -> JdbcConnection:
    return find_connection(
        name="source", secret_arn="source", glue=job.clients.glue, secrets=job.clients.secretsmanager
    )


def read_all(job: Job, model: Model) -> DataFrame:
    source = JdbcSource(spark=job.spark, connection=connection(job), model=model)
    return source.read(EVERYTHING).drop(PROBLEM)


@pytest.mark.parametrize(
    ("ddl", "sentence"),
    [
        (f"{DDL}, IBAN_OF_SPOUSE VARCHAR(40)", "IBAN_OF_SPOUSE: the source has this column and the model does not"),
        (DDL.replace(", POSTCODE VARCHAR(10)", ""), "POSTCODE: declared, but the source has it not"),
        (DDL.replace("SCORE INT", "SCORE VARCHAR(9)"), "SCORE: declared as integer, but the source has string"),
        (DDL.replace("SCORE INT", "SCORE DOUBLE"), "SCORE: declared as integer, but the source has double"),
        (DDL.replace("BORN DATE", "BORN INT"), "BORN: declared as date, but the source has int"),
        (DDL.replace('NAME" VARCHAR(80)', 'NAME" INT'), "NAME: declared as string, but the source has int"),
    ],
)
def test_source_that_is_not_as_declared_is_refused_before_any_write(job: Job, ddl: str, sentence: str) -> None:
    job.database.fill([], ddl)
    with pytest.raises(SourceRefused, match=sentence):
        job.run()
    assert job.names("s3://curated/") == job.names("s3://vault/") == []


def test_refusal_names_every_fault_and_how_to_mend_it(job: Job) -> None:
    job.database.fill([], DDL.replace("SCORE INT", "POINTS INT"))
    with pytest.raises(SourceRefused) as refusal:
        job.run()
    assert "POINTS: the source has this column and the model does not declare it; add it under columns" in str(
        refusal.value
    )
    assert "SCORE: declared, but the source has it not; remove it or mend its name" in str(refusal.value)


def test_row_without_a_key_is_refused(job: Job) -> None:
    job.database.fill([*ROWS, (None, *ROWS[0][1:])])
    with pytest.raises(SourceRefused, match=r"ID: 1 row\(s\) have no key"):
        job.run()
    assert job.names("s3://vault/") == []


def test_empty_source_does_not_replace_the_last_version(job: Job) -> None:
    job.run()
    before = job.json("s3://curated/clients/current.json")
    job.database.fill([])
    with pytest.raises(SourceRefused, match="it has no row"):
        job.run()
    assert job.json("s3://curated/clients/current.json") == before


def test_reads_in_parallel_within_the_keys_range(job: Job) -> None:
    rows = [(1_000_000 + 37 * n, *ROWS[0][1:]) for n in range(400)]
    job.database.fill(rows)
    frame = read_all(job, model_of(COLUMNS, partitions=4))
    assert frame.rdd.getNumPartitions() == 4
    sizes = [len(part) for part in frame.select("ID").rdd.map(lambda row: row[0]).glom().collect()]
    assert sum(sizes) == 400
    assert max(sizes) - min(sizes) <= 2


def test_key_that_is_no_number_is_read_in_one_piece(job: Job) -> None:
    job.database.fill([("a-1", "Ada"), ("b-2", "Bo")], 'ID VARCHAR(9), "NAME" VARCHAR(9)')
    columns = {"ID": {"type": "string", "treatment": "surrogate", "output": "ref"}, "NAME": COLUMNS["NAME"]}
    frame = read_all(job, model_of(columns, partitions=4))
    assert frame.rdd.getNumPartitions() == 1
    assert frame.count() == 2


def test_reads_a_query_of_ones_own(job: Job) -> None:
    query = "SELECT C.ID, CAST(C.SCORE AS DOUBLE) / 2 AS HALF FROM CLIENTS C WHERE C.\"NAME\" LIKE '%, jr';"
    columns: dict[str, dict[str, Any]] = {
        "ID": COLUMNS["ID"],
        "HALF": {"type": "double", "treatment": "keep", "output": "half"},
    }
    model = model_of(columns, table=None, query=query, partitions=3)
    frame = read_all(job, model)
    assert [tuple(row) for row in frame.collect()] == [(101, 350.0)]


def test_names_match_whatever_case_the_database_gives_them(job: Job) -> None:
    job.database.fill([(7, date(2000, 1, 1))], '"CustomerId" INT, BORN DATE')
    columns = {
        "customerid": {"type": "integer", "treatment": "surrogate", "output": "ref"},
        "Born": COLUMNS["BORN"],
    }
    frame = read_all(job, model_of(columns, key="customerid"))
    assert frame.columns == ["customerid", "Born"]
    assert frame.count() == 1


def test_two_columns_that_differ_only_in_case_are_refused() -> None:
    fields = [T.StructField("Id", T.LongType()), T.StructField("ID", T.LongType())]
    with pytest.raises(SourceRefused, match="id: the source has this column more than once"):
        match_columns(fields, model_of({"ID": COLUMNS["ID"]}).columns)


@pytest.mark.parametrize(
    ("declared", "actual", "accepted"),
    [
        ("integer", T.DecimalType(10, 0), True),
        ("integer", T.DecimalType(19, 0), False),
        ("integer", T.DecimalType(10, 2), False),
        ("integer", T.BooleanType(), True),
        ("double", T.DecimalType(38, 10), True),
        ("double", T.BooleanType(), False),
        ("date", T.TimestampType(), True),
        ("date", T.StringType(), False),
        ("boolean", T.IntegerType(), False),
        ("string", T.BinaryType(), False),
    ],
)
def test_which_types_of_a_driver_a_declared_type_accepts(declared: str, actual: T.DataType, accepted: bool) -> None:
    columns = model_of({"ID": {"type": declared, "treatment": "keep", "output": "id"}}).columns
    fields = [T.StructField("ID", actual)]
    if accepted:
        assert match_columns(fields, columns) == {"ID": "ID"}
    else:
        with pytest.raises(SourceRefused, match="ID: declared as"):
            match_columns(fields, columns)
