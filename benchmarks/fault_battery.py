"""Random days of approvals and faults on the real reconcile handlers, and the lies that such days would notice."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.measurement import Measurement, unheard
from tests.runtime.reconcile_battery import KINDS, play
from tests.runtime.reconcile_faulty import Verdict
from tests.runtime.reconcile_mutants import MUTANTS, RARE, SURVIVORS, Mutant, noticed

COMMAND = "python -m benchmarks fault_battery"
FEWEST_SCHEDULES, FEWEST_FAULTS = 50_000, 100_000
SCHEDULES_A_MUTANT, SCHEDULES_A_RARE_ONE = 2_000, 12_000


@dataclass
class Tally:
    """What schedules came to, of one kind of serving or of all."""

    schedules: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    rejected_serves: int = 0
    duplicate_updates: int = 0
    false_successes: int = 0
    repaired_by_a_person: int = 0
    wrong_seeds: list[int] = field(default_factory=list)

    def add(self, seed: int, verdict: Verdict) -> None:
        """Count one schedule."""
        self.schedules += 1
        self.faults += verdict.faults
        self.rejected_serves += verdict.rejected_serves
        self.duplicate_updates += verdict.duplicate_updates
        self.false_successes += verdict.false_successes
        self.repaired_by_a_person += verdict.repaired_by_a_person
        if verdict.wrong:
            self.wrong_seeds.append(seed)


def measure(fewest_schedules: int = FEWEST_SCHEDULES, fewest_faults: int = FEWEST_FAULTS) -> Iterator[Measurement]:
    """Play until enough schedules and faults have been, then let every mutant play some."""
    every, by_kind = Tally(), defaultdict[str, Tally](Tally)
    while every.schedules < fewest_schedules or every.faults.total() < fewest_faults:
        seed = every.schedules
        with unheard():
            verdict = play(seed)
        every.add(seed, verdict)
        by_kind[verdict.kind].add(seed, verdict)
    yield _count("schedules_tried", every.schedules)
    yield _count("faults_injected", every.faults.total(), detail=dict(every.faults))
    for kind in KINDS:
        yield _count(f"schedules_tried_{kind}", by_kind[kind].schedules)
        yield _count(f"faults_injected_{kind}", by_kind[kind].faults.total(), detail=dict(by_kind[kind].faults))
    yield _count("wrong_final_deployments", len(every.wrong_seeds), detail={"seeds": every.wrong_seeds[:20]})
    yield _count("rejected_version_served", every.rejected_serves)
    yield _count("duplicate_updates", every.duplicate_updates)
    yield _count("rollback_reported_as_success", every.false_successes)
    yield _count("left_to_a_person", every.repaired_by_a_person)
    yield _mutants()


def _mutants() -> Measurement:
    with unheard():
        alive = [str(mutant) for mutant in MUTANTS if noticed(mutant, schedules=_enough(mutant)) is None]
    return Measurement(
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
