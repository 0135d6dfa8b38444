"""Serving without an endpoint."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.foundation.scheduled_execution import ScheduledExecution, ScheduleGroup
from baton.observability.alarm import OperatorAlarm
from baton.observability.dashboard import Graph
from baton.observability.dead_letters import DeadLetters
from baton.observability.strain import Habit, Limit
from baton.permissions import allow
from baton.platform import Platform
from baton.serving.alarms import BusinessAlarms
from baton.serving.approved_model import ApprovedModel
from baton.serving.endpoint import endpoint_name_of
from baton.serving.kind import Holding
from baton.serving.metrics import MINUTE, metric_served_version
from baton.serving.served_version import ServedVersion
from baton.serving.transform_workflow import TransformWorkflow
from baton.specification.model import ModelSpecification
from baton.specification.serving import BatchServing

GIVE_UP_AFTER = cdk.Duration.hours(1)
TRANSFORM_LOGS = "/aws/sagemaker/TransformJobs"


class BatchTransform(Construct):
    """The approved model over whatever lies below the input prefix, on a schedule.

    Only the schedule comes and goes with the version, because it names the version's model; the workflow that it
    starts, and the alarms, stand still. Each run answers under the output prefix by the name of its job.

    Args:
        platform: Keys, zones and notifications.
        specification: The model.
        serving: How it is served.
        model: The approved version.
        version: Which version that is.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
    """

    kind = "batch"
    instance_type: str | None = None
    deployment_limit = cdk.Duration.minutes(10)  # CloudFormation's own work: there is nothing to start
    holds: frozenset[Holding] = frozenset()
    invoke_actions: tuple[str, ...] = ()
    version_alarm_names: tuple[str, ...] = ()

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        serving: BatchServing,
        model: ApprovedModel,
        version: ServedVersion,
    ) -> None:
        super().__init__(scope, construct_id)
        self.endpoint_name = endpoint_name_of(platform, specification)
        self.endpoint_arn = cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="endpoint", resource_name=self.endpoint_name
        )
        self.role = model.container.role
        self.resource: cdk.CfnResource = model.resource
        self.version_outputs = {"ModelName": model.model_name}
        self.input_prefix = f"{specification.name}/{serving.input_prefix}"
        self.output_prefix = f"{specification.name}/{serving.output_prefix}"
        self._platform = platform
        self._serving = serving
        self._bucket = platform.zones.monitoring
        self._captures = bool(serving.watched_by(platform.analysis_backend))
        self.capture_uri = f"s3://{self._bucket.bucket_name}/{specification.name}/capture"
        self._grant_container(model, capture_prefix=f"{specification.name}/capture/")
        self.workflow = TransformWorkflow(
            self,
            "Workflow",
            platform=platform,
            name=self.endpoint_name,
            job=self._job(),
            max_runtime_minutes=serving.max_runtime_minutes,
        )
        self._grant_volumes(self.workflow.machine.role)
        self.schedules = self._schedule(version, model)
        self.alarms = self._alarms(specification)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` leave requests under the input prefix; the next run answers them."""
        encrypt = iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resource_arns=[self._platform.keys.data.key_arn],
        )
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:PutObject"],
            resource_arns=[self._bucket.arn_for_objects(f"{self.input_prefix}*")],
        ).combine(encrypt)

    def metric_invocations(self) -> cloudwatch.Metric:
        """Runs that were started, over 5 minutes."""
        return self.workflow.machine.metric_started()

    def metric_server_errors(self) -> cloudwatch.Metric:
        """Runs that failed, over 5 minutes."""
        return self.workflow.machine.metric_failed()

    def limits(self) -> Sequence[Limit]:
        """Nothing: no machine stands ready."""
        return []

    def habits(self) -> Sequence[Habit]:
        """Nothing: it runs by the clock."""
        return []

    def graphs(self) -> Sequence[Graph]:
        """Runs, and how long they take."""
        machine = self.workflow.machine
        return [
            Graph(
                title="Transforms: runs",
                left=[machine.metric_succeeded(), machine.metric_failed(), machine.metric_timed_out()],
                right=[metric_served_version(self.endpoint_name)],
            ),
            Graph(title="Transforms: duration", left=[machine.metric_time(statistic="Maximum")]),
        ]

    def monitor_input(self, local_path: str, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the transform jobs captured."""
        captured = {
            "dataCapturedDestinationS3Uri": self.capture_uri,
            "datasetFormat": {"csv": {"header": False}},
            "localPath": local_path,
        }
        return {"batchTransformInput": {**captured, **attributes}}

    def _grant_container(self, model: ApprovedModel, *, capture_prefix: str) -> None:
        key = self._platform.keys.data
        model.container.grant_read(self._bucket, self.input_prefix, key)
        model.container.grant_write(self._bucket, self.output_prefix, key)
        if self._captures:
            model.container.grant_write(self._bucket, capture_prefix, key)

    def _grant_volumes(self, role: iam.IRole) -> None:
        """Who starts a job lets SageMaker use the key of its volume."""
        assert isinstance(role, iam.Role), "the machine has made its own"
        key = self._platform.keys.models.key_arn
        via = {"StringEquals": {"kms:ViaService": f"sagemaker.{self._platform.region}.amazonaws.com"}}
        allow(role, ["kms:CreateGrant", "kms:DescribeKey"], [key], conditions=via)

    def _job(self) -> Mapping[str, object]:
        """One line is one request, and one line of the same place in a file of the same name is its answer."""
        data_key = self._platform.keys.data.key_arn
        bucket = f"s3://{self._bucket.bucket_name}"
        answers = sfn.JsonPath.format(f"{bucket}/{self.output_prefix}{{}}/", sfn.JsonPath.string_at("$.job.name"))
        capture = {"DestinationS3Uri": self.capture_uri, "KmsKeyId": data_key, "GenerateInferenceId": True}
        return {
            "BatchStrategy": "MultiRecord",
            "TransformInput": {
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{bucket}/{self.input_prefix}"},
                },
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            "TransformOutput": {
                "S3OutputPath": answers,
                "Accept": "text/csv",
                "AssembleWith": "Line",
                "KmsKeyId": data_key,
            },
            "TransformResources": {
                "InstanceType": self._serving.instance_type,
                "InstanceCount": self._serving.instance_count,
                "VolumeKmsKeyId": self._platform.keys.models.key_arn,
            },
            **({"DataCaptureConfig": capture} if self._captures else {}),
        }

    def _schedule(self, version: ServedVersion, model: ApprovedModel) -> ScheduleGroup:
        """In a group of its own, so that whoever may edit schedules there can be held to this one."""
        dead_letters = DeadLetters(
            self,
            "DeadLetters",
            key=self._platform.keys.operations,
            topic=self._platform.topic.topic,
            lost=f"A transform of {self.endpoint_name} could not be started.",
        )
        group = scheduler.CfnScheduleGroup(self, "Schedules")
        run = ScheduledExecution(
            self,
            "Schedule",
            expression=self._serving.schedule,
            machine=self.workflow.machine,
            message={"model_name": model.model_name},
            description=f"Starts the transforms of {self.endpoint_name}",
            give_up_after=GIVE_UP_AFTER,
            dead_letters=dead_letters,
            group_name=group.ref,
        )
        version.only_while_served(run.schedule)
        return ScheduleGroup(name=group.ref, role=run.role)

    def _alarms(self, specification: ModelSpecification) -> list[cloudwatch.IAlarm]:
        machine, topic = self.workflow.machine, self._platform.topic.topic
        metrics = {"RunsFail": machine.metric_failed(), "RunsTimeOut": machine.metric_timed_out()}
        alarms = [
            OperatorAlarm(
                self,
                construct_id,
                metric=metric.with_(period=MINUTE),
                threshold=1,
                description=f"A transform of {self.endpoint_name} has not completed.",
                runbook="docs/runbook.md#batch-transform",
                topic=topic,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            ).alarm
            for construct_id, metric in metrics.items()
        ]
        answers = BusinessAlarms(
            self, "Answers", endpoint_name=self.endpoint_name, limits=specification.serving.limits, topic=topic
        )
        return [*alarms, *answers.all]
