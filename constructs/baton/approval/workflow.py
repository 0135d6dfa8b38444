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
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from baton.approval.steps import ReconcileSteps
from baton.foundation.runtime_code import HandlerFunction
from baton.permissions import acknowledge_wildcards

# Lambda's own errors, and those of AWS services under load. An error of the steps' own is not among them.
TRANSIENT = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "ClientError",
    "InternalFailure",
    "InternalServerError",
    "ModelNotReadyException",
    "ProvisionedThroughputExceededException",
    "ServiceUnavailable",
    "ThrottlingException",
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "ReadTimeoutError",
]


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
        self.machine = sfn.StateMachine(
            self,
            "Resource",
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_chainable(self._definition()),
            timeout=time_limit,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(self, "Logs", encryption_key=key, retention=log_retention),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
        )
        self._acknowledge()

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
        record = self._invoke("RecordFailure", self._steps.record, self._recording("failed"))
        self._retry(record)
        record.add_catch(failed, errors=["States.ALL"], result_path="$.error")
        return record.next(failed)

    def _more_to_do(self, name: str, again: sfn.IChainable, done: sfn.IChainable) -> sfn.IChainable:
        """Somebody may have approved or rejected while this run held the lock."""
        return self._branch(name, {"again": again, "finished": done})

    def _branch(self, name: str, ways: Mapping[str, sfn.IChainable]) -> sfn.Choice:
        """Follow the step's outcome; one that is not listed is a failure."""
        choice = sfn.Choice(self, name)
        for outcome, way in ways.items():
            choice.when(sfn.Condition.string_equals("$.outcome", outcome), way)
        return choice.otherwise(self._failed)

    def _record(self, name: str, kind: str) -> sfn.TaskStateBase:
        return self._task(name, self._steps.record, self._recording(kind))

    def _recording(self, kind: str) -> sfn.TaskInput:
        return sfn.TaskInput.from_object({"record": kind, "state": sfn.JsonPath.entire_payload})

    def _task(self, name: str, function: HandlerFunction, payload: sfn.TaskInput | None = None) -> sfn.TaskStateBase:
        task = self._invoke(name, function, payload)
        self._retry(task)
        task.add_catch(self._failed, errors=["States.ALL"], result_path="$.error")
        return task

    def _invoke(self, name: str, function: HandlerFunction, payload: sfn.TaskInput | None = None) -> tasks.LambdaInvoke:
        return tasks.LambdaInvoke(
            self,
            name,
            lambda_function=function.function,
            payload=payload,
            payload_response_only=True,
            retry_on_service_exceptions=False,  # the list below holds these, and more
        )

    def _retry(self, task: tasks.LambdaInvoke) -> None:
        task.add_retry(
            errors=TRANSIENT,
            interval=cdk.Duration.seconds(2),
            max_attempts=5,
            backoff_rate=2,
            jitter_strategy=sfn.JitterType.FULL,
        )

    def _acknowledge(self) -> None:
        role = self.machine.role
        assert isinstance(role, iam.Role)
        functions = [
            self._steps.choose,
            self._steps.verify,
            self._steps.update,
            self._steps.watch,
            self._steps.prove,
            self._steps.record,
        ]
        acknowledge_wildcards(
            role,
            [f"{step.function.function_arn}:*" for step in functions],
            reason="The CDK grants a function together with its versions; these functions have none but the latest.",
        )
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="The delivery of logs and the traces of X-Ray know no resource to be scoped to.",
            )
        )
