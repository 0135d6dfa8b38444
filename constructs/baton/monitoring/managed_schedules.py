"""The `managed` backend after deployment: Model Monitor and Clarify.

A job definition cannot be edited, so every version gets new ones; the schedules stay and point to them.

See:
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-scheduling.html
"""

from collections.abc import Sequence

from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.monitoring.managed_definitions import ManagedDefinitions
from baton.monitoring.plan import MonitorPlan
from baton.serving.kind import ServingKind
from baton.serving.served_version import ServedVersion

KINDS = {
    "data_quality": "DataQuality",
    "model_quality": "ModelQuality",
    "bias": "ModelBias",
    "explainability": "ModelExplainability",
}


class ManagedSchedules(Construct):
    """A monitoring schedule for each monitor, over the definition that compares with the served version's baselines.

    Args:
        plans: What is watched.
        definitions: What their jobs do.
        served: What is watched; SageMaker refuses a schedule for an endpoint that does not exist.
        version: Schedules exist only while a version is served.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plans: Sequence[MonitorPlan],
        definitions: ManagedDefinitions,
        served: ServingKind,
        version: ServedVersion,
    ) -> None:
        super().__init__(scope, construct_id)
        for plan in plans:
            schedule = sagemaker.CfnMonitoringSchedule(
                self,
                plan.construct_id,
                monitoring_schedule_name=plan.schedule_name(served.endpoint_name),
                monitoring_schedule_config=sagemaker.CfnMonitoringSchedule.MonitoringScheduleConfigProperty(
                    monitoring_type=KINDS[plan.name],
                    monitoring_job_definition_name=definitions.names[plan.name],
                    schedule_config=sagemaker.CfnMonitoringSchedule.ScheduleConfigProperty(
                        schedule_expression=plan.schedule
                    ),
                ),
            )
            schedule.add_resource_dependency(served.resource)
        version.only_while_served(self)
