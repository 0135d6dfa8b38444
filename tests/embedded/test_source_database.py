"""The embedded relational source, written and read back for real."""

import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from embedded.source.columns import as_table, definition
from embedded.source.database import EmbeddedDatabase
from embedded.source.derby import DatabaseError


@pytest.fixture
def database(tmp_path: Path) -> EmbeddedDatabase:
    return EmbeddedDatabase(tmp_path / "bank", user="baton", password="p'w;d")


def test_rows_come_back_as_they_were(database: EmbeddedDatabase) -> None:
    frame = pd.DataFrame(
        {
            "CustomerId": [1, 2, 3],
            "Name": ['O"Brien, "x"\nné', "", None],
            "DateOfBirth": [datetime.date(1970, 1, 2), None, datetime.date(2000, 2, 29)],
            "Balance": [1.5, None, 1e-300],
            "Active": [True, False, True],
            "Account": [2**40, 1, 2],
            "Seen": pd.to_datetime(["2020-01-01 01:02:03.123456", None, "2021-01-01 00:00:00.5"]),
        }
    )
    assert database.write("Customers", frame) == 3
    rows = database.query('SELECT * FROM "Customers" ORDER BY "CustomerId"')
    assert rows == [
        (1, 'O"Brien, "x"\nné', "1970-01-02", 1.5, True, 2**40, "2020-01-01 01:02:03.123456"),
        (2, "", None, None, False, 1, None),
        (3, None, "2000-02-29", 1e-300, True, 2, "2021-01-01 00:00:00.5"),
    ]


def test_overwrite_replaces_and_append_goes_by_name(database: EmbeddedDatabase) -> None:
    database.write("T_1", [{"old": 1}])
    database.write("T_1", [{"a": 1, "b,c": "x"}])
    database.write("T_1", [{"b,c": "y", "a": 2}], mode="append")
    assert database.query('SELECT "a", "b,c" FROM "T_1" ORDER BY "a"') == [(1, "x"), (2, "y")]
    assert database.count("T_1") == 2
    with pytest.raises(DatabaseError, match="cannot append to 'T_1'"):
        database.write("T_1", [{"a": 3}], mode="append")


def test_the_password_counts(database: EmbeddedDatabase, tmp_path: Path) -> None:
    database.write("T", [{"a": 1}])
    with pytest.raises(DatabaseError, match="authentication"):
        EmbeddedDatabase(tmp_path / "bank", user="baton", password="wrong").count("T")


def test_a_csv_keeps_words_that_look_like_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('Id,Country,Born,Note\n1,NA,1970-01-02,""\n2,,1971-01-02,null\n')
    table = as_table(path)
    assert table.to_pylist() == [
        {"Id": 1, "Country": "NA", "Born": datetime.date(1970, 1, 2), "Note": ""},
        {"Id": 2, "Country": None, "Born": datetime.date(1971, 1, 2), "Note": "null"},
    ]
    assert definition(table) == '"Id" BIGINT, "Country" VARCHAR(255), "Born" DATE, "Note" VARCHAR(255)'


def test_a_column_without_an_sql_type_is_refused() -> None:
    with pytest.raises(ValueError, match="has no SQL type"):
        definition(pa.table({"a": [[1]]}))


@pytest.mark.parametrize("user", ["", "a b", "1a", "a;b"])
def test_a_user_that_would_change_the_url_is_refused(user: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="database user"):
        EmbeddedDatabase(tmp_path, user=user, password="x")
