"""What only files can be: empty, torn, not what their names say, and of different makes."""

import gzip
import time
from typing import Any

import pytest
from pyspark.sql import functions as F

from pipeline_scripts.etl.errors import EtlError, SourceRefused
from pipeline_scripts.etl.sources.source import EVERYTHING, PROBLEM, Window
from pipeline_scripts.etl.sources.text import LONGEST_TEXT
from pipeline_scripts.etl.spark_errors import explained
from tests.runtime.etl.sources.stages import COLUMNS, FileStage, csv_of, json_of, parquet_of, read, row

NAMES = list(COLUMNS)
HEADER = ",".join(NAMES).encode()
LINE = b"1,Ada,1950-01-01,1.5,true,2026-03-01T00:00:00Z"
of_each = pytest.mark.parametrize("files", ["csv", "json", "parquet"], indirect=True)
of_json = pytest.mark.parametrize("files", ["json"], indirect=True)
of_parquet = pytest.mark.parametrize("files", ["parquet"], indirect=True)
WRITERS = {"csv": csv_of, "json": json_of, "parquet": parquet_of}


def problems(files: FileStage) -> list[str]:
    """The reasons for the rows that are none, in the order of their text; all of their values may be NULL."""
    with explained("source"):
        frame = files.source().read(EVERYTHING).filter(F.col(PROBLEM).isNotNull())
        return sorted(item[PROBLEM] for item in frame.select(PROBLEM).collect())


@of_each
def test_prefix_without_a_file_is_refused(files: FileStage) -> None:
    files.put("_SUCCESS", b"")
    files.put(".hidden.csv", b"x")
    with pytest.raises(SourceRefused, match=f"s3://landing/{files.prefix} holds no file"):
        files.source().read(EVERYTHING)


@of_each
def test_window_reads_the_files_written_within_it_both_ends_included(files: FileStage) -> None:
    write = WRITERS[files.form]
    files.put(f"a.{files.form}", write([row(1)], NAMES))
    early = files.source().newest()
    assert early is not None
    time.sleep(1.1)  # S3 counts in seconds
    files.put(f"b.{files.form}", write([row(2)], NAMES))
    late = files.source().newest()
    assert late is not None and late > early  # type: ignore[operator]
    assert read(files.source().read(Window(low=early, high=late))) == [row(1), row(2)]
    assert read(files.source().read(Window(low=late))) == [row(2)]
    assert read(files.source().read(Window(high=early))) == [row(1)]
    assert files.source().read(Window(high=early.replace(year=2000))).count() == 0  # type: ignore[union-attr]


def test_columns_may_stand_in_any_order_and_case_in_each_file(files: FileStage) -> None:
    files.put("a.csv", csv_of([row(1)], NAMES))
    files.put("b.csv", csv_of([row(2)], NAMES[::-1]).replace(b"NAME", b"Name"))
    assert read(files.source().read(EVERYTHING)) == [row(1), row(2)]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + HEADER + b"\r\n" + LINE + b"\r\n",
        HEADER + b"\n" + LINE,
        HEADER + b"\n\n" + LINE.replace(b"Ada", b'"Ada"') + b"\n\n",
        b'"' + HEADER.replace(b",", b'","') + b'"\n' + LINE.replace(b"Ada", b'"Ada"') + b"\n",
        HEADER + b"\r" + LINE + b"\r",
        HEADER + b"\n" + LINE.replace(b"1.5", b" 1.5 ") + b"\n",
    ],
    ids=["mark and CRLF", "no last line end", "blank lines", "quoted header", "CR alone", "spaces around a number"],
)
def test_forms_of_csv_that_mean_the_same(files: FileStage, content: bytes) -> None:
    files.put("a.csv", content)
    (found,) = read(files.source().read(EVERYTHING))
    assert (found["ID"], found["NAME"], found["BALANCE"], found["ACTIVE"]) == (1, "Ada", 1.5, True)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,Ada", "row: has not 6 cells"),
        (LINE + b",7", "row: has not 6 cells"),
        (LINE.replace(b"Ada", b"Ad\xe9"), "NAME: holds bytes that are not UTF-8"),
        (LINE.replace(b"Ada", b"A\0da"), "NAME: holds a NUL character"),
        (LINE.replace(b"Ada", b"x" * (LONGEST_TEXT + 1)), f"NAME: is longer than {LONGEST_TEXT} characters"),
        (LINE.replace(b"1,", b"1.5,", 1), "ID: is not an integer of 64 bits"),
        (LINE.replace(b"1,", b"9223372036854775808,", 1), "ID: is not an integer of 64 bits"),
        (LINE.replace(b"1950-01-01", b"1950-02-30"), "BORN: is not a date (YYYY-MM-DD)"),
        (LINE.replace(b"1950-01-01", b"1950"), "BORN: is not a date (YYYY-MM-DD)"),
        (LINE.replace(b"1.5", b"1,5"), "row: has not 6 cells"),
        (LINE.replace(b"1.5", b"NaN"), "BALANCE: is not a double"),
        (LINE.replace(b"1.5", b"1e999"), "BALANCE: is not a double"),
        (LINE.replace(b"1.5", b"1d"), "BALANCE: is not a double"),
        (LINE.replace(b"true", b"yes"), "ACTIVE: is not true or false"),
    ],
)
def test_row_of_csv_that_is_none_is_told_by_column_and_reason(files: FileStage, line: bytes, reason: str) -> None:
    files.put("a.csv", b"\n".join([HEADER, LINE, line, LINE.replace(b"1,", b"2,", 1)]) + b"\n")
    assert problems(files) == [reason]
    assert files.source().read(EVERYTHING).filter(F.col(PROBLEM).isNull()).count() == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "a.csv: is empty, without even a header"),
        (b"\n\n", "a.csv: is empty, without even a header"),
        (LINE + b"\n", "its first line holds none of the declared names; write a header"),
        (HEADER + b",NAME\n", "name: the source has this column more than once"),
        (HEADER + b",\n", "column 7: the source has this column and the model does not declare it"),
        (HEADER + b",Ada Lovelace\n", "column 7: the source has this column"),
        (HEADER.decode().encode("utf-16"), "its first line is not UTF-8"),
        (HEADER + b'\n1,"Ada,1950-01-01\n' + LINE + b"\n", "line 2: its quotes are wrong or never closed"),
        (HEADER + b"\n" + LINE + b"\n" + LINE[:-20] + b'"2026\n' + LINE, "line 3: its quotes are wrong or never"),
        (HEADER + b"\n" + LINE.replace(b"Ada", b'"A"da') + b"\n", "line 2: its quotes are wrong"),
        (gzip.compress(HEADER), "its first line is not UTF-8"),
    ],
)
def test_file_that_is_no_csv_of_the_model_is_refused(files: FileStage, content: bytes, sentence: str) -> None:
    files.put("a.csv", content)
    with pytest.raises(SourceRefused) as refusal:
        files.source().read(EVERYTHING)
    assert sentence in str(refusal.value)
    assert "Ada" not in str(refusal.value)


def test_compressed_file_is_read_and_one_that_is_cut_off_is_refused(files: FileStage) -> None:
    content = gzip.compress(csv_of([row(number) for number in range(1, 500)], NAMES))
    files.put("a.csv.gz", content)
    assert len(read(files.source().read(EVERYTHING))) == 499
    for broken in (content[:-100], b"no gzip at all", content[:-8] + b"\0" * 8):
        files.put("a.csv.gz", broken)
        with pytest.raises(EtlError, match=r"a\.csv\.gz: is cut off, or not compressed as its name says"):
            files.source().read(EVERYTHING)


@of_json
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1, 2]", "line: is not a JSON object"),
        (b"17", "line: is not a JSON object"),
        (b'{"ID": 1', "line: is not JSON"),
        (b'{"ID": NaN}', "line: is not JSON"),
        (b'{"ID": 1, "ID": 2}', "line: names a key twice"),
        (b'{"NAME": "\xff"}', "line: is not UTF-8"),
        (b'{"NAME": "\\u0000"}', "NAME: holds a NUL character"),
        (b'{"NAME": "\\ud800"}', "NAME: holds half a character"),
        (b'{"ID": "1"}', "ID: is a string, not integer"),
        (b'{"ID": true}', "ID: is a boolean, not integer"),
        (b'{"ID": 1.5}', "ID: is not an integer of 64 bits"),
        (b'{"ID": 1' + b"0" * 5000 + b"}", "line: is not JSON"),
        (b'{"BALANCE": 1e999}', "BALANCE: is not a double"),
        (b'{"BORN": "20260101"}', "BORN: is not a date (YYYY-MM-DD)"),
        (b'{"NAME": {"first": "Ada"}}', "NAME: is an object, not string"),
        (b'{"NAME": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "line: is not JSON"),
    ],
)
def test_line_of_json_that_is_no_row_is_told_by_reason(files: FileStage, line: bytes, reason: str) -> None:
    files.put("a.json", json_of([row(1)], NAMES) + line + b"\n" + json_of([row(2)], NAMES))
    assert problems(files) == [reason]
    assert files.source().read(EVERYTHING).filter(F.col(PROBLEM).isNull()).count() == 2


@of_parquet
@pytest.mark.parametrize("content", [b"", b"PAR1 is no Parquet", parquet_of([row(1)], NAMES)[:-30]])
def test_file_that_is_no_parquet_is_refused_by_name(files: FileStage, content: bytes) -> None:
    files.put("a.parquet", parquet_of([row(1)], NAMES))
    files.put("b.parquet", content)
    with pytest.raises(EtlError, match=r"b\.parquet is not Parquet, or is damaged"):
        files.source().read(EVERYTHING)


@of_parquet
def test_parquet_damaged_in_its_middle_is_told_in_one_sentence(files: FileStage) -> None:
    content = parquet_of([row(number) for number in range(1, 2000)], NAMES)
    files.put("a.parquet", content[:40] + b"\xff" * 2000 + content[2040:])
    with pytest.raises(EtlError) as refusal, explained("source"):
        files.source().read(EVERYTHING).collect()
    assert "\n" not in str(refusal.value)
    assert refusal.value.__suppress_context__  # the cause quotes rows


@of_parquet
@pytest.mark.parametrize(
    ("other", "names"),
    [([row(2, BALANCE="much")], NAMES), ([row(2)], NAMES[:-1]), ([row(2, MORE=1)], [*NAMES, "MORE"])],
)
def test_parquet_files_that_disagree_are_refused(files: FileStage, other: list[Any], names: list[str]) -> None:
    files.put("a.parquet", parquet_of([row(1)], NAMES))
    files.put("b.parquet", parquet_of(other, names))
    with pytest.raises(SourceRefused, match=r"b\.parquet: (BALANCE|balance|changed|more): not as in a\.parquet"):
        files.source().read(EVERYTHING)


@of_each
def test_file_without_rows_gives_none(files: FileStage) -> None:
    files.put(f"a.{files.form}", b"" if files.form == "json" else WRITERS[files.form]([], NAMES))
    assert files.source().read(EVERYTHING).count() == 0
