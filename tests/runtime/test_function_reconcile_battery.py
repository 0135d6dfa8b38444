"""Random days with faults end well; a battery that would not notice a lie in the handlers would prove nothing."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from pipeline_scripts.functions.reconcile_ledger import LeaseLost, Ledger
from tests.runtime.reconcile_battery import KINDS, play
from tests.runtime.reconcile_memory import MemoryTable
from tests.runtime.reconcile_mutants import MUTANTS, RARE, SURVIVORS, Mutant, noticed
from tests.runtime.reconcile_world import ENDPOINT, TABLE, clients

SCHEDULES, SCHEDULES_A_MUTANT = 1_000, 2_000


def test_no_day_ends_wrong_whatever_goes_wrong_in_it() -> None:
    verdicts = [play(seed) for seed in range(SCHEDULES)]
    assert [(seed, verdict.wrong) for seed, verdict in enumerate(verdicts) if verdict.wrong] == []
    assert [seed for seed, verdict in enumerate(verdicts) if not verdict.flawless] == []
    for name, kind in KINDS.items():
        met = set().union(*(verdict.faults for verdict in verdicts if verdict.kind == name))
        assert met == set(kind.faults), name


def test_a_day_is_the_same_each_time_it_is_played() -> None:
    assert play(116) == play(116)


@pytest.mark.parametrize("mutant", [mutant for mutant in MUTANTS if mutant not in {*SURVIVORS, *RARE}], ids=str)
def test_a_lie_in_the_handlers_or_the_workflow_is_noticed(mutant: Mutant) -> None:
    assert noticed(mutant, schedules=SCHEDULES_A_MUTANT) is not None


def test_table_in_memory_answers_the_ledger_as_dynamodb_does() -> None:
    """The same calls on both, by two runs in turn, and the same answers and items after each."""
    draw = random.Random(5)
    now = 1_000
    with clients() as (dynamodb, _):
        memory = MemoryTable()
        both = [Ledger(client=c, table=TABLE, endpoint=ENDPOINT, clock=lambda: now) for c in (memory, dynamodb)]
        for _ in range(400):
            now += draw.choice((1, 1, 5, 1_000))
            call = _some_call(draw)
            answers = [_answer(call, ledger) for ledger in both]
            assert answers[0] == answers[1]
            kept = dynamodb.scan(TableName=TABLE)["Items"]
            assert sorted(memory.items.values(), key=_name) == sorted(kept, key=_name)


def _some_call(draw: random.Random) -> Callable[[Ledger], Any]:
    owner, generation, version = draw.choice("ab"), draw.randint(0, 60), str(draw.randint(1, 3))
    entry = {"package_arn": f"arn/{version}", "version": version, "instance_type": f"ml.{version}", "previous_type": ""}
    calls: list[Callable[[Ledger], Any]] = [
        lambda ledger: ledger.acquire(owner),
        lambda ledger: ledger.renew(owner),
        lambda ledger: ledger.confirm(owner, generation),
        lambda ledger: ledger.finish(owner, generation),
        lambda ledger: ledger.abandon(owner),
        lambda ledger: ledger.serve(entry),
        lambda ledger: ledger.withdraw(),
        lambda ledger: ledger.quarantine(version, entry),
        lambda ledger: ledger.remember(version, generation, entry),
        lambda ledger: ledger.refuse_machines(entry),
        lambda ledger: ledger.keep(version) if ledger.current() else None,
        lambda ledger: ledger.set_pin(entry),
        lambda ledger: ledger.unpin(),
        lambda ledger: (ledger.current(), ledger.quarantined(), ledger.pin(), ledger.unfit()),
        lambda ledger: (ledger.history(), ledger.proven_machines()),
    ]
    return draw.choice(calls)


def _answer(call: Callable[[Ledger], Any], ledger: Ledger) -> Any:
    try:
        return call(ledger)
    except LeaseLost:
        return "lost"


def _name(item: dict[str, dict[str, str]]) -> str:
    return item["item"]["S"]
