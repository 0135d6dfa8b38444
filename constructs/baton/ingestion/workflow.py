"""The ingestion workflow: one run at a time from the source to a published data set, and what follows from it.

    Claim ─┬─ busy ──► Skipped
           └─ claimed ──► Extract ──► Record ──► RegisterVersion ──► JudgeVersion ──┐
                            └─ failed ──► ExtractAgain                              │
           ┌────────────────────────────────────────────────────────────────────────┘
           └──► FillFeatures ──► StartTraining ──► Close ─┬─ finished ──► Done
                                         RunAgain ◄─ again ┘

An erasure is a run of the job too, so it goes the same way as far as Extract, and then to Close.

The quality rules run inside the ETL job, which publishes nothing that they stop. Where the model has rules, Glue judges
the version again, for its own record: nothing waits for that, and nothing fails by it. Features are filled where the
model has a feature store, and a training is started where the data set has changed and the model wants that.

An event that arrives while a run is at work may tell of rows that it has not seen: then the workflow starts once more.
Whatever goes wrong ends in RecordFailure: written down with its reason, claim given back.
"""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from baton.etl.glue_job import GlueEtlJob
from baton.etl.quality_ruleset import QualityRuleset
from baton.foundation.workflow import TRANSIENT, call, follow, retry, state_machine
from baton.ingestion.steps import IngestionSteps
from baton.permissions import acknowledge_wildcards

# What Glue answers when it is busy, not when the job is wrong.
GLUE_BUSY = ["Glue.ThrottlingException", "Glue.InternalServiceException", "Glue.OperationTimeoutException"]

# A run that was started outside the workflow, or that a stopped execution left behind. Glue frees its place when it
# has ended: a minute, then longer and longer, three quarters of an hour in all.
GLUE_TAKEN = ["Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException"]

# The job's own errors, by which it refuses what it read. Trying again would find, and quarantine, the same.
REFUSALS = ["*Refused*", "*Quarantined*"]


class IngestionWorkflow(Construct):
    """The state machine. It carries one JSON object from step to step.

    Args:
        steps: The functions.
        job: The ETL job.
        quality: The rules as Glue judges them; None where the model has none.
        fill_features: Starts a job that fills the feature store, and answers its `job_name`; None without a store.
        start_training: Starts a training on the published data set; None where nothing is to start by itself.
        poll: How long it waits before it looks again whether the features are filled.
        time_limit: When an execution is ended.
        key: Encrypts the log.
        log_retention: How long the log is kept.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        steps: IngestionSteps,
        job: GlueEtlJob,
        quality: QualityRuleset | None,
        fill_features: lambda_.IFunction | None,
        start_training: lambda_.IFunction | None,
        poll: cdk.Duration,
        time_limit: cdk.Duration,
        key: kms.IKey,
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self._steps = steps
        self._job = job
        self._poll = poll
        self._failed = self._failure()
        functions = [step.function for step in (steps.claim, steps.record, steps.close)]
        self.machine = state_machine(
            self,
            "Resource",
            definition=self._definition(quality, fill_features, start_training),
            calls=[*functions, *(function for function in (fill_features, start_training) if function is not None)],
            time_limit=time_limit,
            key=key,
            log_retention=log_retention,
        )
        role = self.machine.role
        assert isinstance(role, iam.Role)
        iam.Policy(
            self,
            "StartItself",
            roles=[role],
            statements=[
                iam.PolicyStatement(actions=["states:StartExecution"], resources=[self.machine.state_machine_arn])
            ],
        )
        if quality is not None:
            quality.grant_evaluate(self.machine)
        if fill_features is not None:
            acknowledge_wildcards(
                self.machine.role,
                [self._processing_jobs],
                reason="The function that fills the features names its jobs; describing one changes nothing.",
            )

    def _definition(
        self,
        quality: QualityRuleset | None,
        fill_features: lambda_.IFunction | None,
        start_training: lambda_.IFunction | None,
    ) -> sfn.IChainable:
        done = sfn.Succeed(self, "Done")
        ends: Mapping[str, sfn.IChainable] = {"finished": done, "again": self._once_more().next(done)}
        closing = self._step("Close", self._steps.close.function, self._closing("succeeded"))
        last: sfn.IChainable = closing.next(follow(self, "Closed", ends, otherwise=self._failed))
        if start_training is not None:
            last = self._training(start_training, otherwise=last)
        if fill_features is not None:
            last = self._features(fill_features, then=last)
        if quality is not None:
            last = self._judging(quality, then=last)
        record = self._step("Record", self._steps.record.function)
        record.next(last)
        # An erasure published nothing, and must not look like a run that found everything up to date.
        erased = sfn.Choice(self, "Erased").when(sfn.Condition.boolean_equals("$.erasing", True), closing)
        extract = self._extraction(then=erased.otherwise(record))
        begin = sfn.Pass(
            self,
            "Begin",
            parameters={
                "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
                "started_at": sfn.JsonPath.string_at("$$.Execution.StartTime"),
                "asked": sfn.JsonPath.object_at("$$.Execution.Input"),
            },
        )
        claim = self._step("Claim", self._steps.claim.function)
        ways: Mapping[str, sfn.IChainable] = {"claimed": extract, "busy": sfn.Succeed(self, "Skipped")}
        return begin.next(claim).next(follow(self, "Claimed", ways, otherwise=self._failed))

    def _extraction(self, *, then: sfn.IChainable) -> sfn.IChainable:
        """Run the job, and once more if it broke: a login may be rotated while it is in use."""
        again = self._extract("ExtractAgain")
        again.add_catch(self._failed, errors=["States.ALL"], result_path="$.error")
        again.next(then)
        broke = sfn.Condition.string_equals("$.error.Error", "States.TaskFailed")
        refused = sfn.Condition.or_(*(sfn.Condition.string_matches("$.error.Cause", name) for name in REFUSALS))
        judge = sfn.Choice(self, "WorthAnotherTry")
        judge.when(sfn.Condition.and_(broke, sfn.Condition.not_(refused)), again).otherwise(self._failed)
        extract = self._extract("Extract")
        extract.add_catch(judge, errors=["States.ALL"], result_path="$.error")
        return extract.next(then)

    def _extract(self, name: str) -> tasks.GlueStartJobRun:
        """An execution that is stopped stops its job as well, so it leaves none behind."""
        task = tasks.GlueStartJobRun(
            self,
            name,
            glue_job_name=self._job.job_name,
            arguments=sfn.TaskInput.from_json_path_at("$.arguments"),
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            result_selector={"run": sfn.JsonPath.string_at("$.Id")},
            result_path="$.job",
        )
        retry(task, GLUE_BUSY)
        task.add_retry(errors=GLUE_TAKEN, interval=cdk.Duration.minutes(1), max_attempts=8, backoff_rate=1.5)
        return task

    def _judging(self, quality: QualityRuleset, *, then: sfn.IChainable) -> sfn.IChainable:
        """Let Glue judge the published version."""
        run_id, uri = (sfn.JsonPath.string_at(f"$.published.{name}") for name in ("run_id", "dataset_uri"))
        judge = self._ask_glue(
            "JudgeVersion", "startDataQualityRulesetEvaluationRun", quality.evaluate_arguments(run_id=run_id), then
        )
        arguments = quality.register_arguments(run_id=run_id, dataset_uri=uri)
        return self._ask_glue("RegisterVersion", "createPartition", arguments, judge)

    def _ask_glue(
        self, name: str, operation: str, arguments: Mapping[str, object], then: sfn.IChainable
    ) -> sfn.IChainable:
        """Call Glue for its own record; what it answers, or refuses (a partition is there already), stays beside."""
        task = sfn.CustomState(
            self,
            name,
            state_json={
                "Type": "Task",
                "Resource": f"arn:{cdk.Aws.PARTITION}:states:::aws-sdk:glue:{operation}",
                "Parameters": sfn.FieldUtils.render_object(dict(arguments)),
                "ResultPath": f"$.{name}",
            },
        )
        task.add_retry(errors=GLUE_BUSY, interval=cdk.Duration.seconds(2), max_attempts=3, backoff_rate=2)
        task.add_catch(then, errors=["States.ALL"], result_path=f"$.{name}")
        return task.next(then)

    def _features(self, fill_features: lambda_.IFunction, *, then: sfn.IChainable) -> sfn.IChainable:
        run = sfn.TaskInput.from_object({"run_id": sfn.JsonPath.string_at("$.published.run_id")})
        fill = call(self, "FillFeatures", fill_features, payload=run, result_path="$.features")
        self._catch(fill)
        look = tasks.CallAwsService(
            self,
            "LookAtFeatures",
            service="sagemaker",
            action="describeProcessingJob",
            parameters={"ProcessingJobName": sfn.JsonPath.string_at("$.features.job_name")},
            iam_resources=[self._processing_jobs],
            result_selector={"status": sfn.JsonPath.string_at("$.ProcessingJobStatus")},
            result_path="$.filling",
        )
        retry(look, ["SageMaker.SageMakerException", "SageMaker.ThrottlingException", *TRANSIENT])
        self._catch(look)
        told = sfn.JsonPath.format(
            "processing job {} ended {}",
            sfn.JsonPath.string_at("$.features.job_name"),
            sfn.JsonPath.string_at("$.filling.status"),
        )
        broken = sfn.Pass(
            self,
            "FeaturesNotFilled",
            parameters={"Error": "FeaturesNotFilled", "Cause": told},
            result_path="$.error",
        )
        broken.next(self._failed)
        wait = sfn.Wait(self, "FeaturesAreBeingFilled", time=sfn.WaitTime.duration(self._poll)).next(look)
        filled = sfn.Condition.string_equals("$.filling.status", "Completed")
        at_work = sfn.Condition.or_(
            *(sfn.Condition.string_equals("$.filling.status", name) for name in ("InProgress", "Stopping"))
        )
        look.next(sfn.Choice(self, "FeaturesFilled").when(filled, then).when(at_work, wait).otherwise(broken))
        return fill.next(wait)

    @property
    def _processing_jobs(self) -> str:
        return cdk.Stack.of(self).format_arn(service="sagemaker", resource="processing-job", resource_name="*")

    def _training(self, start_training: lambda_.IFunction, *, otherwise: sfn.IChainable) -> sfn.IChainable:
        """The function may decline, by the model's brake: that is an answer, and goes into the ledger."""
        wish = {"reason": "new data", "token": sfn.JsonPath.string_at("$.published.token")}
        payload = sfn.TaskInput.from_object(wish)
        start = call(self, "StartTraining", start_training, payload=payload, result_path="$.training")
        self._catch(start)
        start.next(otherwise)
        wanted = sfn.Condition.boolean_equals("$.published.train", True)
        return sfn.Choice(self, "TrainOnIt").when(wanted, start).otherwise(otherwise)

    def _once_more(self) -> sfn.CustomState:
        """Start the same workflow; the permission is a policy of its own, as the machine waits for its role's.

        This run is complete and written down, so a start that fails leaves the rest to the schedule.
        """
        cause = {"cause": "an event that arrived during the last run"}
        return sfn.CustomState(
            self,
            "RunAgain",
            state_json={
                "Type": "Task",
                "Resource": f"arn:{cdk.Aws.PARTITION}:states:::states:startExecution",
                "Parameters": {"StateMachineArn.$": "$$.StateMachine.Id", "Input": cause},
                "ResultPath": "$.next",
                "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 5, "BackoffRate": 2}],
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Done"}],
            },
        )

    def _failure(self) -> sfn.IChainable:
        """The end of every other way. Should even the record fail, the failed execution is still told of."""
        unrecorded = sfn.Fail(
            self,
            "Unrecorded",
            error="IngestionFailed",
            cause="The ingestion failed, and that could not be written down; the execution's history says why.",
        )
        failed = sfn.Fail(self, "Failed", error="IngestionFailed", cause_path="$.reason")
        record = call(self, "RecordFailure", self._steps.close.function, payload=self._closing("failed"))
        record.add_catch(unrecorded, errors=["States.ALL"], result_path="$.error")
        return record.next(failed)

    def _closing(self, outcome: str) -> sfn.TaskInput:
        return sfn.TaskInput.from_object({"outcome": outcome, "state": sfn.JsonPath.entire_payload})

    def _step(self, name: str, function: lambda_.IFunction, payload: sfn.TaskInput | None = None) -> tasks.LambdaInvoke:
        task = call(self, name, function, payload=payload)
        self._catch(task)
        return task

    def _catch(self, task: sfn.TaskStateBase) -> None:
        task.add_catch(self._failed, errors=["States.ALL"], result_path="$.error")
