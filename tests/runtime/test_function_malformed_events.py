"""A malformed event changes nothing and is never lost: its sender gets an error, or an answer that says why."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline_scripts.functions.events import MalformedEvent, objects, takes
from tests.runtime.malformed_events import NEEDED, RIGHT, Aws, called, malformed, silent_aws

FUNCTIONS = sorted(RIGHT)
READS_NO_EVENT = {"start_features"}


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with silent_aws() as found:
        yield found


def test_every_handler_is_tried() -> None:
    folder = Path(__file__).parents[2] / "pipeline_scripts" / "functions"
    handlers = {path.stem for path in folder.glob("*.py") if "\ndef handler(" in path.read_text()}
    assert handlers == set(RIGHT) | READS_NO_EVENT == set(NEEDED) | READS_NO_EVENT


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_right_event_is_taken(aws: Aws, function: str) -> None:
    """The positive control: the function comes so far as to ask AWS something."""
    fate = called(aws, function, RIGHT[function])
    assert fate.asked, fate


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_malformed_event_changes_nothing_and_is_not_lost(aws: Aws, function: str) -> None:
    draw = random.Random(function)
    for _ in range(60):
        what, event = malformed(function, draw)
        fate = called(aws, function, event)
        assert fate.writes == (), what
        assert fate.refused, what


def test_the_error_names_the_place() -> None:
    @takes(objects({"state": objects({"execution": {"type": "string"}})}))
    def handler(event: dict[str, object], context: object) -> dict[str, object]:
        return event

    right = {"state": {"execution": "run", "more": 1}}
    assert handler(right, None) == right
    with pytest.raises(MalformedEvent, match=r"^event\.state\.execution: must be string$"):
        handler({"state": {"execution": 3}}, None)
