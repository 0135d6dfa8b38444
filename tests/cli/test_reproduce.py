"""`baton reproduce` follows a run to its end and says what it shows."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from canned import CannedConnection, World, payload

SAME = {"name": "model.json", "recorded": "a" * 64, "made": "a" * 64}
OTHER = {"name": "transformer.json", "recorded": "b" * 64, "made": "c" * 64}
LACKING = {"name": "calibration.json", "recorded": "d" * 64, "made": None}


def answers(world: World, *told: dict[str, Any]) -> None:
    coming: Iterator[dict[str, Any]] = iter(told)
    world.answers["lambda.Invoke"] = lambda _: payload(next(coming))


def made(*files: dict[str, Any]) -> dict[str, Any]:
    equal = all(file["recorded"] == file["made"] for file in files)
    return {"stage": "made", "job": "j", "artifact_uri": "s3://m/again.tar.gz", "equal": equal, "files": list(files)}


def events(connection: CannedConnection) -> list[dict[str, Any]]:
    return [json.loads(asked["Payload"]) for _, call, asked in connection.calls if call == "lambda.Invoke"]


def test_a_byte_equal_version_ends_well(baton: Any, world: World, connection: CannedConnection) -> None:
    answers(world, {"stage": "preprocessing", "job": "j"}, {"stage": "training", "job": "j"}, made(SAME))
    result = baton("reproduce", "1")
    assert result.exit_code == 0, result.output
    assert "byte-equal: all 1 files of the artefact are those of version 1" in result.output
    first, *others = events(connection)
    assert first["version"] == 1
    assert others == [first, first], "every call belongs to one run"


def test_what_differs_is_named_and_fails(baton: Any, world: World) -> None:
    answers(world, made(SAME, OTHER, LACKING))
    result = baton("reproduce", "1")
    assert result.exit_code == 1
    assert "different: transformer.json, calibration.json; what was made lies at s3://m/again.tar.gz" in result.output
    assert "no such file" in result.output


def test_a_run_is_continued_by_its_name(baton: Any, world: World, connection: CannedConnection) -> None:
    answers(world, made(SAME))
    assert baton("reproduce", "1", "--run", "r7", "--json").exit_code == 0
    assert events(connection) == [{"version": 1, "run": "r7"}]


def test_programs_get_json_and_nothing_else(baton: Any, world: World) -> None:
    answers(world, {"stage": "training", "job": "j"}, made(SAME, OTHER))
    result = baton("reproduce", "1", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (told["equal"], [file["name"] for file in told["files"]]) == (False, ["model.json", "transformer.json"])


@pytest.mark.parametrize("stage", ["failed", "refused"])
def test_a_run_that_comes_to_nothing_says_why(baton: Any, world: World, stage: str) -> None:
    answers(world, {"stage": stage, "why": "no disk"})
    result = baton("reproduce", "1")
    assert result.exit_code == 1
    assert "version 1 was not made again: no disk" in result.stderr
