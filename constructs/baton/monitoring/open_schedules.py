"""The `open` backend after deployment: our own scripts, started on a schedule."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from baton.monitoring.launcher import MonitorLauncher
from baton.monitoring.monitor_jobs import MonitorJobs, OpenMonitorJob
from baton.monitoring.plan import MonitorPlan
from baton.serving.served_version import ServedVersion

RETRIES = 3
GIVE_UP_AFTER = 1800  # seconds: then the next run is near


class OpenSchedules(Construct):
    """A schedule for each monitor, which asks the launcher for a job against the served version's baselines.

    Args:
        plans: What is watched.
        jobs: Where its data lies.
        job: How a monitor is run.
        launcher: Starts it.
        endpoint_name: What is watched.
        version: Schedules exist only while a version is served, and compare with its baselines.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plans: Sequence[MonitorPlan],
        jobs: MonitorJobs,
        job: OpenMonitorJob,
        launcher: MonitorLauncher,
        endpoint_name: str,
        version: ServedVersion,
    ) -> None:
        super().__init__(scope, construct_id)
        self.schedule_names: dict[str, str] = {}
        for plan in plans:
            request = {
                "monitor": plan.name,
                "endpoint_name": endpoint_name,
                "model_package_arn": version.package_arn,
                "capture_uri": jobs.capture_uri,
                "ground_truth_uri": jobs.ground_truth_uri,
                "report_uri": jobs.report_uri(plan),
                "window_minutes": plan.window_minutes,
                "needs_labels": plan.needs_labels,
                "needs_model": plan.needs_model,
                "job": job.skeleton(plan, endpoint_name=endpoint_name, evidence_uri=version.evidence_uri),
            }
            schedule = scheduler.CfnSchedule(
                self,
                plan.construct_id,
                description=f"Asks for {plan.name} of {endpoint_name}",
                group_name=launcher.schedules.name,
                schedule_expression=plan.schedule,
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=launcher.handler.function.function_arn,
                    role_arn=launcher.schedules.role.role_arn,
                    input=cdk.Stack.of(self).to_json_string(request),
                    dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                        arn=launcher.dead_letters.queue.queue_arn
                    ),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_retry_attempts=RETRIES, maximum_event_age_in_seconds=GIVE_UP_AFTER
                    ),
                ),
            )
            self.schedule_names[plan.construct_id] = schedule.ref
        version.only_while_served(self)
