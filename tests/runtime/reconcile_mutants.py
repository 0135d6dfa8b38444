"""Small lies in the handlers and the workflow, each of which the battery must notice."""

import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from tests.runtime import reconcile_battery, reconcile_world
from tests.runtime.reconcile_definition import definition

PACKAGE = "pipeline_scripts.functions"
DEFINITION = "the state machine"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change: in `place`, what stands there, and what is put instead. For the workflow, a state's way."""

    place: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.place}: {self.old} -> {self.new}"


SURVIVORS = {
    Mutant(place="reconcile_update", old="if stack.moving:", new="if False:"): (
        "CloudFormation itself refuses an update of a stack that moves"
    )
}
"""Changes that do no harm, each because something else stands behind it."""

MUTANTS = (
    *SURVIVORS,
    *(
        Mutant(place=place, old=old, new=new)
        for place, old, new in (
            ("reconcile_choose", "reverse=True", "reverse=False"),
            ("reconcile_choose", 'package["ModelPackageArn"] not in quarantined', "True"),
            ("reconcile_choose", 'ModelApprovalStatus="Approved"', 'ModelApprovalStatus="Rejected"'),
            ("reconcile_choose", '== proven.get("package_arn") and stack.settled', "and stack.settled"),
            ("reconcile_choose", 'return "withdraw", "no approved', 'return "settled", "no approved'),
            ("reconcile_choose", 'or ledger.finish(event["execution"], generation)', "or True"),
            ("reconcile_ledger", 'condition="attribute_not_exists(#owner) OR #owner = :me OR expires_at < :now",', ""),
            ("reconcile_ledger", "OR expires_at < :now", ""),
            ("reconcile_ledger", '"#owner = :me AND generation = :seen"', '"#owner = :me"'),
            ("reconcile_ledger", '"#owner = :me OR attribute_not_exists(#owner) AND generation = :seen"', '""'),
            ("reconcile_ledger", 'self._put(f"quarantine#{version}", entry)', "pass"),
            ("reconcile_record", "        ledger.serve(entry)", "        pass"),
            ("reconcile_record", "        ledger.withdraw()", "        pass"),
            ("reconcile_record", '        ledger.abandon(state["execution"])', "        pass"),
            ("reconcile_prove", 'if running != outputs["EndpointConfigName"]:', "if False:"),
            (
                "reconcile_prove",
                "if not math.isclose(answer, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE):",
                "if False:",
            ),
            ("reconcile_prove", 'if error.response["Error"]["Code"] != "ModelError":', "if True:"),
            ("reconcile_watch", '"Failed": "failed"', '"Failed": "arrived"'),
            ("reconcile_watch", 'and stack.status == "UPDATE_ROLLBACK_COMPLETE"', "and False"),
            ("reconcile_update", 'if "No updates are to be performed" in message:', "if False:"),
            (DEFINITION, "Proved failed", "RecordServed"),
            (DEFINITION, "Watched failed", "Prove"),
            (DEFINITION, "Verified refused", "Update"),
            (DEFINITION, "Chosen withdraw", "Done"),
            (DEFINITION, "Current again", "Done"),
        )
    ),
)


@contextmanager
def living(mutant: Mutant) -> Iterator[None]:
    """The world with this one change in it."""
    with pytest.MonkeyPatch.context() as patch:
        if mutant.place == DEFINITION:
            _redirect(mutant, patch)
        else:
            _rewrite(mutant, patch)
        yield


def _redirect(mutant: Mutant, patch: pytest.MonkeyPatch) -> None:
    state, outcome = mutant.old.split()
    choices = definition()["States"][state]["Choices"]
    [way] = [choice for choice in choices if choice["StringEquals"] == outcome]
    patch.setitem(way, "Next", mutant.new)


def _rewrite(mutant: Mutant, patch: pytest.MonkeyPatch) -> None:
    original = importlib.import_module(f"{PACKAGE}.{mutant.place}")
    source = inspect.getsource(original)
    assert mutant.old in source, f"{mutant} is out of date: {mutant.place} says nothing like it"
    module = ModuleType(original.__name__)
    patch.setitem(sys.modules, original.__name__, module)  # its dataclasses look for themselves there
    exec(compile(source.replace(mutant.old, mutant.new), f"<{mutant}>", "exec"), vars(module))
    for name, value in vars(reconcile_world).copy().items():
        if getattr(value, "__module__", None) == original.__name__ and hasattr(module, name):
            patch.setattr(reconcile_world, name, getattr(module, name))


def noticed(mutant: Mutant, *, schedules: int) -> str | None:
    """What the battery says of a mutant first; None when it lives through all of its schedules."""
    with living(mutant):
        for seed in range(schedules):
            try:
                verdict: Any = reconcile_battery.play(seed)
            except AssertionError as error:
                return f"schedule {seed}: {error}"
            if verdict.wrong or verdict.rejected_serves or verdict.duplicate_updates or verdict.false_successes:
                return f"schedule {seed}: {verdict}"
    return None
