"""The reconcile workflow: makes an endpoint follow the registry, and proves that it does.

    Choose ─┬─ settled, busy ──► Done
            ├─ deploy ──► Verify ──► Update ──► Watch ──► Prove ──► RecordServed ──► Done
            │               └─ refused         └─ failed   └─ failed
            │                      └───────────────┴───────────┴──► Quarantine ──► Choose
            └─ withdraw ──► Update ──► Watch ──► RecordWithdrawn ──► Done

Update and Watch wait and come back while CloudFormation or SageMaker is at work.

Whatever goes wrong beside the version itself ends in RecordFailure: written down, told, lock given back.
"""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.approval.steps import ReconcileSteps
from baton.foundation.runtime_code import HandlerFunction
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
        functions = (steps.choose, steps.verify, steps.update, steps.watch, steps.prove, steps.record)
        self.machine = state_machine(
            self,
            "Resource",
            definition=self._definition(),
            calls=[step.function for step in functions],
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
        quarantine = self._record("Quarantine", "quarantined").next(choose)
        served = self._record("RecordServed", "served").next(self._more_to_do("Current", choose, done))
        withdrawn = self._record("RecordWithdrawn", "withdrawn").next(self._more_to_do("Gone", choose, done))

        prove = self._task("Prove", self._steps.prove)
        prove.next(self._branch("Proved", {"proved": served, "failed": quarantine}))

        update = self._task("Update", self._steps.update)
        self._waiting(update, proven=prove, withdrawn=withdrawn, quarantine=quarantine)

        verify = self._task("Verify", self._steps.verify)
        verify.next(self._branch("Verified", {"verified": update, "refused": quarantine}))

        decided = {"deploy": verify, "withdraw": update, "settled": done, "busy": done}
        choose.next(self._branch("Chosen", decided))
        return begin.next(choose)

    def _waiting(
        self,
        update: sfn.TaskStateBase,
        *,
        proven: sfn.IChainable,
        withdrawn: sfn.IChainable,
        quarantine: sfn.IChainable,
    ) -> None:
        """Ask until CloudFormation takes the update, then look until it has arrived somewhere."""
        watch = self._task("Watch", self._steps.watch)
        try_later = sfn.Wait(self, "StackIsBusy", time=sfn.WaitTime.duration(self._poll)).next(update)
        look_later = sfn.Wait(self, "OnItsWay", time=sfn.WaitTime.duration(self._poll)).next(watch)
        taken: Mapping[str, sfn.IChainable] = {"started": look_later, "unchanged": watch, "busy": try_later}
        update.next(self._branch("Updated", taken))
        ways: Mapping[str, sfn.IChainable] = {
            "moving": look_later,
            "arrived": proven,
            "gone": withdrawn,
            "failed": quarantine,
        }
        watch.next(self._branch("Watched", ways))

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

    def _more_to_do(self, name: str, again: sfn.IChainable, done: sfn.IChainable) -> sfn.IChainable:
        """Somebody may have approved or rejected while this run held the lock."""
        return self._branch(name, {"again": again, "finished": done})

    def _branch(self, name: str, ways: Mapping[str, sfn.IChainable]) -> sfn.Choice:
        """Follow the step's outcome; one that is not listed is a failure."""
        return follow(self, name, ways, otherwise=self._failed)

    def _record(self, name: str, kind: str) -> sfn.TaskStateBase:
        return self._task(name, self._steps.record, self._recording(kind))

    def _recording(self, kind: str) -> sfn.TaskInput:
        return sfn.TaskInput.from_object({"record": kind, "state": sfn.JsonPath.entire_payload})

    def _task(self, name: str, function: HandlerFunction, payload: sfn.TaskInput | None = None) -> sfn.TaskStateBase:
        task = call(self, name, function.function, payload=payload)
        task.add_catch(self._failed, errors=["States.ALL"], result_path="$.error")
        return task
