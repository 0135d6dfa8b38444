"""Showing the acts as they happen: live on a terminal, one line an act elsewhere."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

LOGGER = logging.getLogger(__name__)


@dataclass
class Act:
    """One act: what it is, what it is doing, how it ended."""

    title: str
    state: str = "to come"
    doing: str = ""
    outcome: str = ""
    began: float = 0.0
    seconds: float = 0.0

    def note(self, text: str) -> None:
        """Say what is going on right now."""
        if text != self.doing:
            LOGGER.info("%s: %s", self.title, text)
        self.doing = text

    def end(self, outcome: str) -> None:
        """Say how it ended."""
        self.outcome = outcome

    def elapsed(self) -> float:
        """Seconds so far, or in all."""
        return time.monotonic() - self.began if self.state == "playing" else self.seconds


class Stage:
    """The acts of one performance, in order.

    Args:
        titles: Of all acts, so that those to come are shown too.
        console: Where to show them.
    """

    def __init__(self, titles: Sequence[str], console: Console) -> None:
        self.acts = [Act(title) for title in titles]
        self._console = console
        self._spinner = Spinner("dots", style="cyan")

    @contextmanager
    def open(self) -> Iterator[None]:
        """Show the acts while the block runs."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self._picture, console=self._console, refresh_per_second=8):
            yield

    @contextmanager
    def act(self, title: str) -> Iterator[Act]:
        """Play one act; an error ends the performance and marks the act.

        Raises:
            KeyError: The programme has no such act.
        """
        act = next((act for act in self.acts if act.title == title), None)
        if act is None:
            raise KeyError(f"the programme has no act {title!r}")
        act.state, act.began = "playing", time.monotonic()
        LOGGER.info("act: %s", title)
        try:
            yield act
        except BaseException:
            self._close(act, "broke off")
            raise
        self._close(act, "done")

    def timings(self) -> dict[str, float]:
        """Seconds of each act that was played."""
        return {act.title: round(act.seconds, 2) for act in self.acts if act.state != "to come"}

    def _close(self, act: Act, state: str) -> None:
        act.seconds = time.monotonic() - act.began
        act.state = state
        LOGGER.info("act %s: %s after %.1f s: %s", act.title, state, act.seconds, act.outcome)
        if not self._console.is_terminal:
            number = f"[{self.acts.index(act) + 1:2}/{len(self.acts)}]"
            ending = act.outcome if state == "done" else f"BROKE OFF ({act.doing})"
            self._console.print(f"{number} {act.seconds:6.1f} s  {act.title}: {ending}", markup=False, soft_wrap=True)

    def _picture(self) -> Group:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=2)
        grid.add_column(no_wrap=True)
        grid.add_column(justify="right", style="dim", no_wrap=True)
        grid.add_column(ratio=1)
        for act in self.acts:
            time_taken = "" if act.state == "to come" else f"{act.elapsed():.1f} s"
            grid.add_row(self._mark(act), Text(act.title, _style(act)), time_taken, _said(act))
        return Group(grid)

    def _mark(self, act: Act) -> Spinner | Text:
        if act.state == "playing":
            return self._spinner
        marks = {"done": Text("✓", "green"), "broke off": Text("✗", "bold red")}
        return marks.get(act.state, Text("·", "dim"))


def _style(act: Act) -> str:
    return {"playing": "bold", "to come": "dim", "broke off": "bold red"}.get(act.state, "")


def _said(act: Act) -> Text:
    return Text(act.outcome) if act.state == "done" else Text(act.doing, "dim")
