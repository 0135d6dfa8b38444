"""The state machine that runs one transform job and waits for its end.

    Moment ──► Name ──► Transform ──► Wait ──► Look ─┬─ Completed ──► Done
                                       ▲             ├─ at work ──► Late ─┬─ yes ──► Stop ──► TookTooLong
                                       └── Count ◄───┼────────────────────┘
                                                     └─ else ──► NotTransformed

It looks by itself: to be told by Step Functions would take a permission to make event rules.
"""

import math
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from baton.foundation.workflow import rest_between_looks, retry, state_machine
from baton.permissions import acknowledge_wildcards
from baton.platform import Platform

BUSY = ["SageMaker.ThrottlingException", "SageMaker.SageMakerException", "SageMaker.ResourceLimitExceededException"]
MARGIN = cdk.Duration.minutes(30)  # what all the looks may take beside the waiting
STATUS = "$.job.status"

text = sfn.JsonPath.string_at


class TransformWorkflow(Construct):
    """Takes a `model_name`, and fails unless the job completes in time; one that does not is stopped.

    Args:
        platform: Keys and log retention.
        name: What the names of the jobs begin with; the moment of their start follows, in UTC.
        job: The request, but for the names of job and model; it may use `$.job_name`.
        max_runtime_minutes: How long a job may take, its start included. SageMaker itself knows no such limit.
        poll: How long it waits before it looks again; longer where a run may take very long.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        name: str,
        job: Mapping[str, object],
        max_runtime_minutes: int,
        poll: cdk.Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self._jobs = cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="transform-job", resource_name=f"{name}-*"
        )
        self._max_runtime_minutes = max_runtime_minutes
        self._rest = rest_between_looks(poll, within=cdk.Duration.minutes(max_runtime_minutes))
        self.machine = state_machine(
            self,
            "Machine",
            definition=self._name_job(name).next(self._start(job)).next(self._follow()),
            calls=[],
            time_limit=cdk.Duration.minutes(max_runtime_minutes).plus(MARGIN),
            key=platform.keys.operations,
            log_retention=platform.log_retention,
        )
        reason = "The names of the jobs begin with the model's and end in the moment of their start."
        acknowledge_wildcards(self.machine.role, [self._jobs], reason=reason)

    def _name_job(self, name: str) -> sfn.Chain:
        """The same for a repeated call, which then starts no second job."""
        parts = sfn.JsonPath.string_split(text("$$.Execution.StartTime"), "-:.TZ")
        moment = sfn.Pass(self, "Moment", parameters={"model_name": text("$.model_name"), "moment": parts, "looks": 1})
        to_the_second = (text(f"$.moment[{part}]") for part in range(6))
        named = sfn.JsonPath.format(f"{name}-{'{}' * 6}", *to_the_second)
        return moment.next(sfn.Pass(self, "Name", parameters={"name": named}, result_path="$.job"))

    def _start(self, job: Mapping[str, object]) -> tasks.CallAwsService:
        names = {"TransformJobName": text("$.job.name"), "ModelName": text("$.model_name")}
        task = self._call("Transform", "createTransformJob", {**names, **job}, result_path=sfn.JsonPath.DISCARD)
        return task

    def _follow(self) -> sfn.IChainable:
        wait = sfn.Wait(self, "Wait", time=sfn.WaitTime.duration(self._rest))
        look = self._call(
            "Look",
            "describeTransformJob",
            {"TransformJobName": text("$.job.name")},
            result_selector={"name": text("$.TransformJobName"), "status": text("$.TransformJobStatus")},
            result_path="$.job",
        )
        at_work = sfn.Condition.or_(*(sfn.Condition.string_equals(STATUS, s) for s in ("InProgress", "Stopping")))
        ended = sfn.Choice(self, "Ended")
        ended.when(sfn.Condition.string_equals(STATUS, "Completed"), sfn.Succeed(self, "Done"))
        ended.when(at_work, self._unless_late(otherwise=wait))
        ended.otherwise(self._failure("NotTransformed", "{} ended {}", text("$.job.name"), text(STATUS)))
        return wait.next(look).next(ended)

    def _unless_late(self, *, otherwise: sfn.IChainable) -> sfn.IChainable:
        count = sfn.Pass(
            self,
            "Count",
            parameters={
                "model_name": text("$.model_name"),
                "job": sfn.JsonPath.object_at("$.job"),
                "looks": sfn.JsonPath.math_add(sfn.JsonPath.number_at("$.looks"), 1),
            },
        )
        stop = self._call(
            "Stop",
            "stopTransformJob",
            {"TransformJobName": text("$.job.name")},
            result_path=sfn.JsonPath.DISCARD,
        )
        told = f"{{}} took longer than {self._max_runtime_minutes} minutes"
        late = self._failure("TookTooLong", told, text("$.job.name"))
        looks = math.ceil(self._max_runtime_minutes * 60 / self._rest.to_seconds())
        return (
            sfn.Choice(self, "Late")
            .when(sfn.Condition.number_greater_than_equals("$.looks", looks), stop.next(late))
            .otherwise(count.next(otherwise))
        )

    def _call(
        self,
        name: str,
        action: str,
        parameters: Mapping[str, object],
        *,
        result_path: str,
        result_selector: Mapping[str, object] | None = None,
    ) -> tasks.CallAwsService:
        task = tasks.CallAwsService(
            self,
            name,
            service="sagemaker",
            action=action,
            parameters=parameters,
            iam_resources=[self._jobs],
            result_selector=result_selector,
            result_path=result_path,
        )
        retry(task, BUSY)
        return task

    def _failure(self, name: str, cause: str, *values: str) -> sfn.Fail:
        return sfn.Fail(self, name, error=name, cause_path=sfn.JsonPath.format(cause, *values))
