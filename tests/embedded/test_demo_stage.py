"""The demo's programme: shown in full, timed, and honest about where it broke off."""

import io
import re

import pytest
from rich.console import Console

from embedded.demo.choreography import TITLES
from embedded.demo.stage import Stage


def stage(*, terminal: bool) -> tuple[Stage, io.StringIO]:
    output = io.StringIO()
    return Stage(("One", "Two", "Three"), Console(file=output, force_terminal=terminal, width=100)), output


def perform(stage: Stage) -> None:
    with stage.open():
        with stage.act("One") as act:
            act.end("10 rows")
        with pytest.raises(ValueError, match="no"), stage.act("Two") as act:
            act.note("asking")
            raise ValueError("no")


def test_without_a_terminal_each_act_is_one_line() -> None:
    played, output = stage(terminal=False)
    perform(played)
    lines = output.getvalue().splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"\[ 1/3\] +\d+\.\d s  One: 10 rows", lines[0])
    assert lines[1].endswith("Two: BROKE OFF (asking)")


def test_on_a_terminal_what_is_to_come_is_shown_too() -> None:
    played, output = stage(terminal=True)
    perform(played)
    for text in ("One", "10 rows", "Two", "asking", "Three", "✓", "✗"):
        assert text in output.getvalue()


def test_only_acts_that_were_played_have_a_time() -> None:
    played, _ = stage(terminal=False)
    perform(played)
    assert list(played.timings()) == ["One", "Two"]


def test_fails_when_the_programme_has_no_such_act() -> None:
    played, _ = stage(terminal=False)
    with pytest.raises(KeyError, match="no act 'Four'"), played.act("Four"):
        pass


def test_no_title_appears_twice() -> None:
    assert len(set(TITLES)) == len(TITLES)
