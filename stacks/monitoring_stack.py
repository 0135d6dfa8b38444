"""The stack that watches one model, whichever version of it serves."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.foundation.runtime_code import HandlerFunction
from baton.monitoring.backend import monitor_backend
from baton.monitoring.drift_response import DriftResponse
from baton.monitoring.monitor_jobs import MonitorJobs
from baton.monitoring.plan import monitor_plans
from baton.monitoring.reports import MonitorReports
from baton.platform import Platform
from baton.registry.model_registry import ModelRegistry
from baton.serving.endpoint import endpoint_name_of
from baton.specification.model import ModelSpecification


class MonitoringStack(cdk.Stack):
    """What runs a model's monitors, publishes what they find, and answers drift with a training.

    The schedules are not here: they name an endpoint and a version's baselines, so they come and go in its stack.

    Args:
        platform: The environment's foundation.
        model: The model to watch.
        registry: Its versions.
        start_training: Starts a training of it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        registry: ModelRegistry,
        start_training: HandlerFunction,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        endpoint_name = endpoint_name_of(platform, model)
        self.plans = monitor_plans(model, backend=platform.analysis_backend)
        self.jobs = MonitorJobs(self, "Jobs", platform=platform, specification=model)
        self.backend = monitor_backend(
            self,
            "Backend",
            platform=platform,
            jobs=self.jobs,
            registry=registry,
            endpoint_name=endpoint_name,
            plans=self.plans,
        )
        MonitorReports(self, "Reports", platform=platform, specification=model, endpoint_name=endpoint_name)
        self.response = DriftResponse(
            self,
            "Drift",
            platform=platform,
            model=model.name,
            endpoint_name=endpoint_name,
            plans=self.plans,
            start_training=start_training,
        )
        names = [alarm.alarm_name for alarm in self.response.drift_alarms]
        if names:
            cdk.CfnOutput(self, "DriftAlarmNames", value=cdk.Fn.join(",", names))
        for name, value in self.backend.outputs().items():
            cdk.CfnOutput(self, name, value=value)
