"""Tries to have tampered or replayed evidence accepted: `python -m benchmarks tampering`.

Each try changes the objects of a signed version as somebody could who may write to the buckets but not sign: a bit of
any file, a swapped artefact, an older bundle with its signature, a signature of another key. Then reconcile's own check
judges the version. Between the tries the version is put back, and must be verified again.
"""

import random
from collections import Counter

from benchmarks.measurement import Measurement
from pipeline_scripts.functions.reconcile_choose import desired_version
from tests.runtime.reconcile_world import GROUP, clients, new_world
from tests.runtime.tampering import tamperings

TRIES = 1_000
SEED = 4
CHECKED_EVERY = 50


def measure() -> list[Measurement]:
    """How many acts were tried, and how many of them reconcile accepted."""
    tried: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    draw = random.Random(SEED)
    with clients() as found:
        world = new_world(*found)
        world.register(1)
        world.register(2)
        event = {"target": desired_version(world, group=GROUP, quarantined=set())}
        for number in range(TRIES):
            act = tamperings(world, draw)
            with act.done(world):
                tried[act.kind] += 1
                accepted[act.kind] += world.verified(event)["outcome"] != "refused"
            if number % CHECKED_EVERY == 0 and world.verified(event)["outcome"] != "verified":
                raise RuntimeError(f"the version is refused although {act.what} was undone; the figures would be void")
    command = "python -m benchmarks tampering"
    return [
        Measurement(name="tampered_tried", value=tried.total(), unit="acts", command=command, detail=dict(tried)),
        Measurement(
            name="tampered_accepted", value=accepted.total(), unit="acts", command=command, detail=dict(+accepted)
        ),
    ]
