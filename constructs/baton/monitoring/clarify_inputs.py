"""What Clarify needs beside the data to repeat its analyses on live traffic."""

import aws_cdk as cdk
from constructs import Construct

from baton.clarify.configuration import ClarifyConfiguration
from baton.clarify.questions import bias_monitor_question, explainability_monitor_question
from baton.clarify.shadow_endpoint import ACTIONS, shadow_endpoints
from baton.monitoring.monitor_jobs import MonitorJobs
from baton.permissions import allow


class MonitorQuestions(Construct):
    """The two questions that Clarify's monitors ask, and the shadow endpoint that answers the second.

    Args:
        jobs: Who asks.
    """

    def __init__(self, scope: Construct, construct_id: str, *, jobs: MonitorJobs) -> None:
        super().__init__(scope, construct_id)
        bias = ClarifyConfiguration(self, "Bias", question=bias_monitor_question(jobs.specification))
        explainability = ClarifyConfiguration(
            self, "Explainability", question=explainability_monitor_question(jobs.specification)
        )
        for configuration in (bias, explainability):
            configuration.grant_read(jobs.role)
        self.bias = bias.s3_uri
        self.explainability = explainability.s3_uri
        self._grant_shadow_endpoint(jobs)

    def _grant_shadow_endpoint(self, jobs: MonitorJobs) -> None:
        stack = cdk.Stack.of(self)
        allow(
            jobs.role,
            ACTIONS,
            shadow_endpoints(self),
            why="Clarify makes a shadow endpoint of a name of its own choice under this prefix, and deletes it.",
        )
        allow(
            jobs.role,
            ["sagemaker:DescribeModel"],
            [stack.format_arn(service="sagemaker", resource="model", resource_name="*")],
            why="CloudFormation names the model of each version; describing one changes nothing.",
        )
