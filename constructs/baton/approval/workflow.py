"""The reconcile workflow: makes an endpoint follow the registry, and proves that it does.

    Choose ─┬─ settled, busy ──► Done
            ├─ moving ──► Choose
            ├─ stranded ──► Recover ──► Choose
            ├─ kept ──► RecordKept ──► Done
            ├─ deploy ──► Verify ──► Update ⇄ Watch ──► Prove ──► RecordServed ──► Done
            │               └─ refused           ├─ failed  ├─ failed
            │                      └─────────────│──────────┴──────────► Quarantine ──► Choose
            │                                    └─ unfit   └─ unfit ──► RecordUnfit ──► Choose
            └─ withdraw ──► Update ⇄ Watch ──► RecordWithdrawn ──► Done

Update changes one step's parameters at a time, and Watch sends it back until none are left; where the way had to be
cleared for a version, back to Choose, which finds the place empty. Each step waits and comes
back while CloudFormation or SageMaker is at work.

A version that fails is quarantined, and the next one chosen; machines that a proven version could not move to are not
tried again. Whatever else goes wrong ends in RecordFailure: written down, told, lock given back.
"""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.approval.step import Step
from baton.approval.steps import ReconcileSteps
from baton.foundation.workflow import call, follow, state_machine


class ReconcileWorkflow(Construct):
    """The state machine. It carries one JSON object from step to step, and each step says its `outcome` in it.

    Args:
        steps: The functions.
        poll: How long it waits before it looks again.
        time_limit: When CloudWatch hears that a run hangs: later than the run's own limit.
        key: Encrypts the log.
        log_retention: How long the log is kept.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        steps: ReconcileSteps,
        poll: cdk.Duration,
        time_limit: cdk.Duration,
        key: kms.IKey,
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self._steps = steps
        self._poll = poll
        self.machine = state_machine(
            self,
            "Resource",
            definition=self._definition(),
            calls=[step.function for step in steps.all],
            time_limit=time_limit,
            key=key,
            log_retention=log_retention,
        )

    def _definition(self) -> sfn.IChainable:
        done = sfn.Succeed(self, "Done")
        self._failed = self._failure()
        # An event is a hint: nothing of it goes further than this state.
        begin = sfn.Pass(self, "Begin", parameters={"execution": sfn.JsonPath.string_at("$$.Execution.Id")})
        choose = self._task("Choose", self._steps.choose)
        faults: Mapping[str, sfn.IChainable] = {
            "failed": self._record("Quarantine", "quarantined").next(choose),
            "unfit": self._record("RecordUnfit", "unfit").next(choose),
        }
        update = self._task("Update", self._steps.update)
        self._moving(
            update,
            proven=self._proving(self._recorded("Served", choose, done), faults),
            withdrawn=self._recorded("Withdrawn", choose, done),
            cleared=choose,
            faults=faults,
        )
        verify = self._task("Verify", self._steps.verify)
        verify.next(self._branch("Verified", {"verified": update, "refused": faults["failed"]}))
        decided: Mapping[str, sfn.IChainable] = {
            "deploy": verify,
            "withdraw": update,
            "moving": self._wait("SomebodyIsAtWork", choose),
            "stranded": self._recovery(choose),
            "kept": self._recorded("Kept", choose, done),
            "settled": done,
            "busy": done,
        }
        choose.next(self._branch("Chosen", decided))
        return begin.next(choose)

    def _recovery(self, recovered: sfn.IChainable) -> sfn.IChainable:
        """Have a roll-back continued until it has ended."""
        recover = self._task("Recover", self._steps.recover)
        look_later = self._wait("RollingBack", recover)
        recover.next(self._branch("Recovered", {"continued": look_later, "recovered": recovered}))
        return recover

    def _moving(
        self,
        update: sfn.TaskStateBase,
        *,
        proven: sfn.IChainable,
        withdrawn: sfn.IChainable,
        cleared: sfn.IChainable,
        faults: Mapping[str, sfn.IChainable],
    ) -> None:
        """Ask until CloudFormation takes the update, look until it has arrived, and ask again for what is left."""
        watch = self._task("Watch", self._steps.watch)
        try_later = self._wait("StackIsBusy", update)
        look_later = self._wait("OnItsWay", watch)
        taken: Mapping[str, sfn.IChainable] = {"started": look_later, "unchanged": watch, "busy": try_later}
        update.next(self._branch("Updated", taken))
        ways = {"moving": look_later, "more": update, "arrived": proven, "gone": withdrawn, "cleared": cleared}
        watch.next(self._branch("Watched", {**ways, **faults}))

    def _proving(self, proved: sfn.IChainable, faults: Mapping[str, sfn.IChainable]) -> sfn.IChainable:
        """Ask a question whose answer is known, and look for the answer until it is there."""
        prove = self._task("Prove", self._steps.prove)
        ways = {"waiting": self._wait("Unanswered", prove), "proved": proved, **faults}
        prove.next(self._branch("Proved", ways))
        return prove

    def _failure(self) -> sfn.IChainable:
        """The end of every other way. Should even the record fail, the failed execution still alarms."""
        failed = sfn.Fail(
            self,
            "Failed",
            error="ReconcileFailed",
            cause="The endpoint could not follow the registry; the ledger and the log say why.",
        )
        record = call(self, "RecordFailure", self._steps.record.function, payload=self._recording("failed"))
        record.add_catch(failed, errors=["States.ALL"], result_path="$.error")
        return record.next(failed)

    def _recorded(self, what: str, again: sfn.IChainable, done: sfn.IChainable) -> sfn.IChainable:
        """Record an outcome. Somebody may have approved or rejected while this run held the lock."""
        more = self._branch(f"{what}IsCurrent", {"again": again, "finished": done})
        return self._record(f"Record{what}", what.lower()).next(more)

    def _wait(self, name: str, then: sfn.IChainable) -> sfn.IChainable:
        return sfn.Wait(self, name, time=sfn.WaitTime.duration(self._poll)).next(then)

    def _branch(self, name: str, ways: Mapping[str, sfn.IChainable]) -> sfn.Choice:
        """Follow the step's outcome; one that is not listed is a failure."""
        return follow(self, name, ways, otherwise=self._failed)

    def _record(self, name: str, kind: str) -> sfn.TaskStateBase:
        return self._task(name, self._steps.record, self._recording(kind))

    def _recording(self, kind: str) -> sfn.TaskInput:
        return sfn.TaskInput.from_object({"record": kind, "state": sfn.JsonPath.entire_payload})

    def _task(self, name: str, step: Step, payload: sfn.TaskInput | None = None) -> sfn.TaskStateBase:
        task = call(self, name, step.function, payload=payload)
        task.add_catch(self._failed, errors=["States.ALL"], result_path="$.error")
        return task
