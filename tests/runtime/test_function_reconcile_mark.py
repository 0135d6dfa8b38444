"""A version that was brought to serve leaves a mark on the dashboard; one that was refused leaves none."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.runtime.reconcile_world import ENDPOINT, World, clients, new_world


@pytest.fixture
def world() -> Iterator[World]:
    with clients() as made:
        yield new_world(*made)


def marks(printed: str) -> list[tuple[str, float]]:
    """Endpoint and version of every metric that was printed in CloudWatch's embedded format."""
    records: list[dict[str, Any]] = [json.loads(line) for line in printed.splitlines() if '"_aws"' in line]
    for record in records:
        [directive] = record["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == ("Baton/Serving", [["EndpointName"]])
    return [(record["EndpointName"], *record["ServedVersion"]) for record in records]


def test_each_version_marks_the_moment_it_began_to_serve(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.register(1)
    world.run()
    world.register(2)
    world.run()
    world.run()
    assert marks(capsys.readouterr().out) == [(ENDPOINT, 1.0), (ENDPOINT, 2.0)]


def test_a_refused_version_marks_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.register(1, behaviour="broken stack")
    world.run()
    assert marks(capsys.readouterr().out) == []
