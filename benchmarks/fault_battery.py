"""Random days of approvals and faults on the real reconcile handlers, and the lies that such days would notice."""

from collections import Counter
from collections.abc import Iterator

from benchmarks.measurement import Measurement, unheard
from tests.runtime.reconcile_battery import play
from tests.runtime.reconcile_mutants import MUTANTS, RARE, SURVIVORS, Mutant, noticed

COMMAND = "python -m benchmarks fault_battery"
FEWEST_SCHEDULES, FEWEST_FAULTS = 50_000, 100_000
SCHEDULES_A_MUTANT, SCHEDULES_A_RARE_ONE = 1_000, 8_000


def measure() -> Iterator[Measurement]:
    """Play until enough schedules and faults have been, then let every mutant play some."""
    faults: Counter[str] = Counter()
    schedules = wrong = rejected = duplicates = false = repaired = 0
    wrong_seeds: list[int] = []
    while schedules < FEWEST_SCHEDULES or faults.total() < FEWEST_FAULTS:
        with unheard():
            verdict = play(schedules)
        faults += verdict.faults
        wrong += bool(verdict.wrong)
        wrong_seeds += [schedules] if verdict.wrong else []
        rejected += verdict.rejected_serves
        duplicates += verdict.duplicate_updates
        false += verdict.false_successes
        repaired += verdict.repaired_by_a_person
        schedules += 1
    yield _count("schedules_tried", schedules)
    yield _count("faults_injected", faults.total(), detail=dict(faults))
    yield _count("wrong_final_deployments", wrong, detail={"seeds": wrong_seeds[:20]})
    yield _count("rejected_version_served", rejected)
    yield _count("duplicate_updates", duplicates)
    yield _count("rollback_reported_as_success", false)
    yield _count("left_to_a_person", repaired)
    with unheard():
        alive = [str(mutant) for mutant in MUTANTS if noticed(mutant, schedules=_enough(mutant)) is None]
    yield Measurement(
        name="mutants_killed_ratio",
        value=1 - len(alive) / len(MUTANTS),
        unit="of all",
        command=COMMAND,
        detail={
            "mutants": len(MUTANTS),
            "alive": alive,
            "explained": {str(mutant): why for mutant, why in SURVIVORS.items()},
        },
    )


def _enough(mutant: Mutant) -> int:
    return SCHEDULES_A_RARE_ONE if mutant in RARE else SCHEDULES_A_MUTANT


def _count(name: str, value: int, *, detail: dict[str, object] | None = None) -> Measurement:
    return Measurement(name=name, value=value, unit="", command=COMMAND, detail=detail or {})
