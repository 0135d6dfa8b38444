"""Malformed events, a thousand for every function: what did they change, and was any lost?"""

import random
from collections import Counter
from collections.abc import Iterator

from benchmarks.measurement import Measurement, unheard
from tests.runtime.malformed_events import RIGHT, called, malformed, silent_aws

COMMAND = "python -m benchmarks malformed_events"
A_FUNCTION = 1_000


def measure() -> Iterator[Measurement]:
    """Call every handler as Lambda does."""
    tried: Counter[str] = Counter()
    writes: list[str] = []
    lost: list[str] = []
    with unheard(), silent_aws() as aws:
        for function in RIGHT:
            draw = random.Random(function)
            for _ in range(A_FUNCTION):
                what, event = malformed(function, draw)
                fate = called(aws, function, event)
                tried[function] += 1
                writes += [f"{function}, {what}: {operation}" for operation in fate.writes]
                lost += [f"{function}, {what}"] if fate.refused is None else []
    yield _count("malformed_events", tried.total(), detail=dict(tried))
    yield _count("malformed_event_writes", len(writes), detail={"first": writes[:20]})
    yield _count("malformed_events_lost", len(lost), detail={"first": lost[:20]})


def _count(name: str, value: int, *, detail: dict[str, object]) -> Measurement:
    return Measurement(name=name, value=value, unit="", command=COMMAND, detail=detail)
