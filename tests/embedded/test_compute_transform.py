"""What batch transform does to records: paths, payloads, joins."""

import json
from typing import Any

import pytest

from embedded.compute.json_path import PathError, compile_path
from embedded.compute.transform_join import Association, JoinFailed
from embedded.compute.transform_records import PayloadTooLarge, assemble, payloads, split

ROW = ["a", "b", "c", "d"]
PERSON = {"id": 7, "features": [1, 2, 3], "home": {"city": "Bern"}}


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("$", ROW, ROW),
        ("$[0]", ROW, "a"),
        ("$[-1]", ROW, "d"),
        ("$[1:]", ROW, ["b", "c", "d"]),
        ("$[0,2:]", ROW, ["a", "c", "d"]),
        ("$[:2]", ROW, ["a", "b"]),
        ("$.features", PERSON, [1, 2, 3]),
        ("$.features[1:]", PERSON, [2, 3]),
        ("$['home'].city", PERSON, "Bern"),
        ("$['id','home']", PERSON, {"id": 7, "home": {"city": "Bern"}}),
    ],
)
def test_a_path_selects_a_part(path: str, value: Any, found: Any) -> None:
    assert compile_path(path)(value) == found


@pytest.mark.parametrize("path", ["id", "$.", "$[", "$[0,'id']", "$..id", "$[*]", "$[?(@.id)]"])
def test_a_path_of_another_language_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        compile_path(path)


@pytest.mark.parametrize(("path", "value"), [("$[4]", ROW), ("$.age", PERSON), ("$[0:1]", PERSON), ("$.id", ROW)])
def test_a_path_to_nothing_is_an_error(path: str, value: Any) -> None:
    with pytest.raises(PathError):
        compile_path(path)(value)


def test_lines_are_records_whatever_ends_them() -> None:
    assert split(b"1\n2\r\n3", split_type="Line") == [b"1", b"2", b"3"]
    assert split(b"1\n2\n", split_type="Line") == [b"1", b"2"]
    assert split(b"1\n2\n", split_type="None") == [b"1\n2\n"]


def test_payloads_are_as_full_as_they_may_be() -> None:
    records = [b"x" * 400_000] * 5
    sizes = [len(group) for group in payloads(records, strategy="MultiRecord", limit_mb=1)]
    assert sizes == [2, 2, 1]
    assert [len(g) for g in payloads(records, strategy="SingleRecord", limit_mb=1)] == [1] * 5
    assert [len(g) for g in payloads(records, strategy="MultiRecord", limit_mb=0)] == [5]
    with pytest.raises(PayloadTooLarge):
        list(payloads([b"x" * 1_100_000], strategy="SingleRecord", limit_mb=1))


def test_answers_are_assembled_by_lines_or_as_they_come() -> None:
    assert assemble([b"1\n2", b"3\n"], assemble_with="Line") == b"1\n2\n3\n"
    assert assemble([b"1\n2", b"3"], assemble_with="None") == b"1\n23"


def association(content_type: str, *, identified: bool = False, **processing: str) -> Association:
    return Association(processing=processing, content_type=content_type, identified=identified)


def test_rows_are_joined_with_their_answers() -> None:
    joined = association("text/csv", InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")
    rows = [b'7,"a, b",1', b"8,c,2"]
    assert [joined.sent(row) for row in rows] == [b'"a, b",1', b"c,2"]
    assert joined.stored(rows, b"0.5\n0.25\n") == b"7,0.5\n8,0.25\n"


def test_objects_are_joined_with_their_answers() -> None:
    joined = association("application/jsonlines", InputFilter="$.features", JoinSource="Input")
    records = [json.dumps(PERSON).encode(), json.dumps({**PERSON, "id": 8}).encode()]
    assert json.loads(joined.sent(records[0])) == [1, 2, 3]
    lines = joined.stored(records, b'{"score": 1}\n{"score": 2}').splitlines()
    assert [json.loads(line)["SageMakerOutput"] for line in lines] == [{"score": 1}, {"score": 2}]
    assert json.loads(lines[1])["id"] == 8
    assert json.loads(joined.stored([b"[1, 2]"], b"3")) == {"SageMakerInput": [1, 2], "SageMakerOutput": 3}


def test_answers_are_named_for_their_labels() -> None:
    row = association("text/csv", identified=True, JoinSource="Input").stored([b"7,1"], b"0.5").decode().split(",")
    assert row[:3] == ["7", "1", "0.5"]
    assert len(row) == 5
    named = json.loads(association("application/json", identified=True).stored([b"{}"], b'{"score": 1}'))
    assert set(named) == {"score", "SageMakerInferenceId", "SageMakerInferenceTime"}


@pytest.mark.parametrize(
    ("content_type", "processing", "answer", "word"),
    [
        ("text/csv", {"JoinSource": "Input"}, b"1\n2\n3", "3 lines to 2 records"),
        ("text/csv", {"JoinSource": "Input", "OutputFilter": "$[9]"}, b"1\n2", "no element 9"),
        ("image/png", {"JoinSource": "Input"}, b"", "needs a ContentType"),
        ("text/csv", {"InputFilter": "$..x"}, b"", "cannot be read"),
        ("application/jsonlines", {"JoinSource": "Input"}, b"x\ny", "is not JSON"),
    ],
)
def test_what_cannot_be_joined_says_why(
    content_type: str, processing: dict[str, str], answer: bytes, word: str
) -> None:
    with pytest.raises(JoinFailed, match=word):
        association(content_type, **processing).stored([b"[1]", b"[2]"], answer)


def test_without_processing_answers_stay_as_they_come() -> None:
    plain = association("image/png")
    assert plain.sent(b"\x89PNG") == b"\x89PNG"
    assert plain.stored([b"a", b"b"], b"anything") == b"anything"
