"""Turns the reports of monitor jobs into metrics."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from baton.monitoring.launcher import grant_publish
from baton.monitoring.metrics import NAMESPACE
from baton.permissions import allow
from baton.platform import Platform
from baton.specification.model import ModelSpecification

# Model Monitor's own namespaces: the open backend writes the same metrics there.
DETAILS = ["aws/sagemaker/Endpoints/*", "/aws/sagemaker/Endpoints/*"]


class MonitorReports(Construct):
    """Hears the end of every monitor job of one endpoint, and publishes what it found.

    Args:
        platform: Keys, zones and notifications.
        specification: The model.
        endpoint_name: What is watched.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        endpoint_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.handler = platform.handler_function(
            self,
            "Function",
            handler="publish_monitor",
            description=f"Publishes what the monitors of {endpoint_name} found",
            environment={"ENDPOINT_NAME": endpoint_name},
        )
        self._grant_read(platform, specification, endpoint_name)
        grant_publish(self.handler.role, [NAMESPACE, *DETAILS])
        rule = events.Rule(
            self,
            "JobEnded",
            description=f"A monitor job of {endpoint_name} has ended",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Processing Job State Change"],
                detail={
                    "ProcessingJobStatus": ["Completed", "Failed", "Stopped"],
                    **self._whose(platform, endpoint_name),
                },
            ),
        )
        rule.add_target(
            targets.LambdaFunction(
                self.handler.function,
                dead_letter_queue=self.handler.dead_letter_queue,
                retry_attempts=5,
                max_event_age=cdk.Duration.hours(2),
            )
        )

    def _whose(self, platform: Platform, endpoint_name: str) -> dict[str, Any]:
        """Our own jobs are named after the endpoint; Model Monitor's are not, but say which schedule they are of."""
        if platform.analysis_backend == "open":
            return {"ProcessingJobName": events.Match.prefix(f"{endpoint_name}-")}
        schedules = cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="monitoring-schedule", resource_name=f"{endpoint_name}-"
        )
        return {"MonitoringScheduleArn": events.Match.prefix(schedules)}

    def _grant_read(self, platform: Platform, specification: ModelSpecification, endpoint_name: str) -> None:
        role, bucket = self.handler.role, platform.zones.monitoring
        jobs = f"{endpoint_name}-*" if platform.analysis_backend == "open" else "*"
        allow(
            role,
            ["sagemaker:DescribeProcessingJob"],
            [cdk.Stack.of(self).format_arn(service="sagemaker", resource="processing-job", resource_name=jobs)],
            why="The names of monitor jobs are not known before they run; describing one changes nothing.",
        )
        reports = f"{specification.name}/reports/"
        allow(
            role,
            ["s3:GetObject"],
            [bucket.arn_for_objects(f"{reports}*")],
            why="Reports lie under the names of jobs that have not run yet.",
        )
        # Without it S3 answers that access is denied, and not that there is no report.
        allow(role, ["s3:ListBucket"], [bucket.bucket_arn])
        allow(role, ["kms:Decrypt"], [platform.keys.data.key_arn])
