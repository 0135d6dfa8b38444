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

from tests.runtime import reconcile_battery, reconcile_kinds, reconcile_world
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
    Mutant(place="reconcile_update", old='if set(step) == {SCALING} else "beside"', new=""): (
        "two roll-backs have to meet machines on trial and a rejected version beside; a test of its own has them"
    ),
    Mutant(place="reconcile_update", old="if stack.moving:", new="if False:"): (
        "CloudFormation itself refuses an update of a stack that moves"
    ),
    Mutant(place="reconcile_recover", old='if now > event["deadline"]:', new="if False:"): (
        "a roll-back that goes on ends some time; a test of its own holds the limit"
    ),
    Mutant(place="reconcile_situation", old=" == asked_for", new=""): (
        "on these days the parameters tell it as well; a test of its own has a deployment that changes none"
    ),
    Mutant(place="reconcile_situation", old="and self.stack.settled", new=""): (
        "no such day has a stack that needs a person; a test of its own has"
    ),
    Mutant(place="reconcile_proof", old='if held != target["package_arn"]:', new="if False:"): (
        "while a run holds the lock, nobody but a person moves the version; a test of its own has one who does"
    ),
}
"""Changes that do no harm on these days, each because something else stands behind it."""

RARE = tuple(
    Mutant(place=place, old=old, new=new)
    for place, old, new in (
        ("reconcile_ledger", '"#owner = :me OR attribute_not_exists(#owner) AND generation = :seen"', '""'),
        ("reconcile_machines", "version_moves and has not in unfit", "False"),
        ("reconcile_proof", "if stack.moving:", "if False:"),
    )
)
"""Changes that one day in some thousands notices: more than a test plays, fewer than the benchmark."""

MUTANTS = (
    *SURVIVORS,
    *RARE,
    *(
        Mutant(place=place, old=old, new=new)
        for place, old, new in (
            ("reconcile_choose", "reverse=True", "reverse=False"),
            ("reconcile_choose", 'package["ModelPackageArn"] not in quarantined', "True"),
            ("reconcile_choose", 'ModelApprovalStatus="Approved"', 'ModelApprovalStatus="Rejected"'),
            ("reconcile_choose", 'str(package["ModelPackageVersion"]) == pinned', "False"),
            ("reconcile_choose", 'or ledger.finish(event["execution"], generation)', "or True"),
            ("reconcile_choose", 'rules.when_none_approved == "keep"', "False"),
            ("reconcile_choose", 'rules.when_none_approved == "keep"', "True"),
            ("reconcile_choose", "target = _as_it_was(proven)", "target = None"),
            ("reconcile_situation", '!= proven.get("package_arn")', "!= stack.package_arn"),
            ("reconcile_situation", "and not self.left", ""),
            ("reconcile_situation", "not endpoint.lost and", ""),
            ("reconcile_situation", "endpoint.config_name == self.proven[", "True or self.proven["),
            ("reconcile_situation", "if stack.stranded:", "if False:"),
            ("reconcile_situation", 'return "withdraw", "no approved', 'return "settled", "no approved'),
            ("reconcile_situation", 'and self.proven.get("beside_sha256", "") == self.beside.sha256', ""),
            ("reconcile_beside", "if status not in MAY_STAND[name]:", "if False:"),
            ("reconcile_beside", "if arn in quarantined:", "if False:"),
            ("reconcile_beside", "del standing[name]", "continue"),
            ("reconcile_verify", ".verified(archive)", ""),
            ("reconcile_beside", '"beside": dict(self.leaving)', '"beside": {}'),
            ("reconcile_parameters", 'return {SCALING: "off"}', "pass"),
            ("reconcile_parameters", "if lost and current[PACKAGE] != NOTHING:", "if False:"),
            ("reconcile_parameters", 'SCALING: "on", **machines', "**machines"),
            ("reconcile_machines", "fit = unfit.get(wanted, wanted)", "fit = wanted"),
            ("reconcile_machines", "return proven if", 'return "" if'),
            (
                "reconcile_blame",
                'if event.get("brings", "version") in ("nothing", "scaling", "explainer"):',
                "if False:",
            ),
            ("reconcile_blame", '"unfit" if event["previous_type"] else "failed"', '"failed"'),
            ("reconcile_ledger", 'condition="attribute_not_exists(#owner) OR #owner = :me OR expires_at < :now",', ""),
            ("reconcile_ledger", "OR expires_at < :now", ""),
            ("reconcile_ledger", '"#owner = :me AND generation = :seen"', '"#owner = :me"'),
            ("reconcile_ledger", 'self._delete(refused["item"])', "pass"),
            ("reconcile_ledger", 'self._put(f"quarantine#{version}", entry)', "pass"),
            ("reconcile_ledger", "self._put(f\"unfit#{entry['instance_type']}\", entry)", "pass"),
            ("reconcile_ledger", 'self._put("machines", {"instance_type": entry["instance_type"]})', "pass"),
            ("reconcile_ledger", 'self._update("current", "SET kept = :at", {":at": {"S": moment}})', "pass"),
            ("reconcile_record", "        ledger.serve(entry)", "        pass"),
            ("reconcile_record", "        ledger.withdraw()", "        pass"),
            ("reconcile_record", "        ledger.refuse_machines(entry)", "        pass"),
            ("reconcile_record", '        ledger.abandon(state["execution"])', "        pass"),
            ("reconcile_proof", 'if running != stack.outputs["EndpointConfigName"]:', "if False:"),
            (
                "reconcile_proof",
                "if not math.isclose(number, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE):",
                "if False:",
            ),
            ("reconcile_prove", 'if error.response["Error"]["Code"] != "ModelError":', "if True:"),
            ("reconcile_prove", "if fastest > max_latency_ms:", "if False:"),
            ("reconcile_watch", '"Failed": "broken"', '"Failed": "arrived"'),
            ("reconcile_watch", 'or (left and stack.status == "UPDATE_ROLLBACK_COMPLETE")', ""),
            ("reconcile_watch", "elif left:", "elif False:"),
            ("reconcile_recover", 'if event["recoveries"] >= MOST_RECOVERIES:', "if True:"),
            ("reconcile_update", "lost = _lost(sagemaker, endpoint_name, stack=stack)", "lost = False"),
            ("reconcile_update", 'event.get("attempt", 0), sorted(step.items())', ""),
            ("reconcile_pin", 'if found is not None and found["version"] == version:', "if True:"),
            ("reconcile_situation", "if stack.moving:", "if False:"),
            ("reconcile_update", "if stack.package_arn == NOTHING:", "if False:"),
            ("reconcile_blame", 'event["proven_before"] and not', "not"),
            ("reconcile_beside", 'CHALLENGER: {"Approved"}', 'CHALLENGER: {"Approved", "Rejected"}'),
            ("reconcile_beside", 'CHALLENGER: {"Approved"}', 'CHALLENGER: {"Approved", "PendingManualApproval"}'),
            ("reconcile_beside", 'SHADOW: {"Approved", "PendingManualApproval"}', 'SHADOW: {"Approved"}'),
            ("reconcile_prove", '== NOTHING else {"TargetVariant": VARIANT}', "== NOTHING else {}"),
            ("reconcile_prove_asynchronous", 'if "asked" not in event:', "if True:"),
            ("reconcile_prove_asynchronous", "if endpoint.lost:", "if False:"),
            ("reconcile_prove_asynchronous", 'if now > asked["until"]:', "if False:"),
            ("reconcile_prove_asynchronous", 'check_answer(answer, event["canary"])', "0.0"),
            ("reconcile_prove_batch", 'if job["TransformJobStatus"] == "Stopped":', "if False:"),
            ("reconcile_prove_batch", 'if not completed and now > asked["until"]:', "if False:"),
            ("reconcile_prove_batch", "sagemaker.stop_transform_job(TransformJobName=name)", "pass"),
            (
                "reconcile_prove_batch",
                'check_answer(s3_place.read(s3, event["asked"]["answer"]) or b"", event["canary"])',
                "0.0",
            ),
            (DEFINITION, "Proved waiting", "RecordServed"),
            (DEFINITION, "Proved failed", "RecordServed"),
            (DEFINITION, "Proved unfit", "RecordServed"),
            (DEFINITION, "Watched failed", "Prove"),
            (DEFINITION, "Watched more", "Prove"),
            (DEFINITION, "Watched unfit", "Quarantine"),
            (DEFINITION, "Verified refused", "Update"),
            (DEFINITION, "Chosen withdraw", "Done"),
            (DEFINITION, "Chosen stranded", "RecordFailure"),
            (DEFINITION, "ServedIsCurrent again", "Done"),
            (DEFINITION, "WithdrawnIsCurrent again", "Done"),
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
    for user in _users():
        for name, value in vars(user).copy().items():
            if getattr(value, "__module__", None) == original.__name__ and hasattr(module, name):
                patch.setattr(user, name, getattr(module, name))


def _users() -> list[ModuleType]:
    """Whoever may have taken a name from a handler's module: the world, the battery and the other handlers."""
    handlers = [module for name, module in sys.modules.items() if name.startswith(f"{PACKAGE}.reconcile_")]
    return [reconcile_world, reconcile_kinds, reconcile_battery, *handlers]


def noticed(mutant: Mutant, *, schedules: int) -> str | None:
    """What the battery says of a mutant first; None when it lives through all of its schedules."""
    with living(mutant):
        for seed in range(schedules):
            try:
                verdict: Any = reconcile_battery.play(seed)
            except AssertionError as error:
                return f"schedule {seed}: {error}"
            if not verdict.flawless:
                return f"schedule {seed}: {verdict}"
    return None
