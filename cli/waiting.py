"""Waiting for something in AWS, bounded."""

import time
from collections.abc import Callable
from typing import TypeVar

from cli.errors import BatonError

Answer = TypeVar("Answer")


def wait_for(
    ask: Callable[[], Answer],
    *,
    until: Callable[[Answer], bool],
    what: str,
    seconds: float,
    every: float = 2.0,
    meanwhile: Callable[[Answer], None] = lambda answer: None,
) -> Answer:
    """Ask again and again until the answer will do.

    Args:
        ask: Gets the present answer.
        until: Whether it will do.
        what: What is waited for, for the message.
        seconds: How long at most.
        every: Seconds between two questions.
        meanwhile: Told every answer, to show progress.

    Raises:
        BatonError: Time is up.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        meanwhile(answer)
        if until(answer):
            return answer
        if time.monotonic() >= deadline:
            raise BatonError(f"waited {seconds:.0f} s in vain for {what}; its last state was: {answer}")
        time.sleep(every)
