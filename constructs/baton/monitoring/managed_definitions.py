"""What the jobs of the `managed` backend do: the four job definitions of SageMaker."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import aws_cdk as cdk
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.foundation.images import ManagedImages
from baton.monitoring.clarify_inputs import MonitorQuestions
from baton.monitoring.monitor_jobs import MAX_RUNTIME_SECONDS, MonitorJobs
from baton.monitoring.plan import HOUR, MonitorPlan
from baton.serving.kind import ServingKind
from baton.serving.served_version import ServedVersion
from baton.training.jobs import PROCESSING_INPUT, PROCESSING_OUTPUT

ANSWER = "0"
"""The endpoint answers one column, the probability or the number, and Model Monitor counts columns."""

PROBLEM_TYPES = {"binary_classification": "BinaryClassification", "regression": "Regression"}

Quality = sagemaker.CfnDataQualityJobDefinition
Performance = sagemaker.CfnModelQualityJobDefinition
Bias = sagemaker.CfnModelBiasJobDefinition
Attribution = sagemaker.CfnModelExplainabilityJobDefinition


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What all definitions have in common, in the terms of CloudFormation."""

    jobs: MonitorJobs
    served: ServingKind

    def output(self, plan: MonitorPlan) -> dict[str, object]:
        """Where reports go, encrypted like everything captured."""
        uri, key = self.jobs.report_uri(plan), self.jobs.platform.keys.data.key_arn
        s3_output = {"s3Uri": uri, "localPath": PROCESSING_OUTPUT, "s3UploadMode": "EndOfJob"}
        return {"monitoringOutputs": [{"s3Output": s3_output}], "kmsKeyId": key}

    def resources(self) -> dict[str, object]:
        """The machine, with an encrypted volume."""
        machine = self.jobs.machine()
        cluster = {
            "instanceCount": machine.instance_count,
            "instanceType": machine.instance_type,
            "volumeSizeInGb": machine.volume_size_gib,
            "volumeKmsKeyId": machine.volume_key_arn,
        }
        return {"clusterConfig": cluster}

    def network(self, *, isolated: bool = True) -> dict[str, object]:
        """The private subnets; SageMaker itself carries data and metrics of an isolated container."""
        network = self.jobs.network(isolated=isolated)
        return {
            "enableInterContainerTrafficEncryption": True,
            "enableNetworkIsolation": network.isolated,
            "vpcConfig": {
                "subnets": list(network.subnet_ids),
                "securityGroupIds": list(network.security_group_ids),
            },
        }

    def window(self, plan: MonitorPlan) -> dict[str, str]:
        """How far back a monitor with labels looks."""
        return {"startTimeOffset": f"-PT{plan.window_minutes // HOUR}H", "endTimeOffset": "-PT0H"}

    def traffic(self, **attributes: object) -> dict[str, object]:
        """What was captured of it."""
        return dict(self.served.monitor_input(f"{PROCESSING_INPUT}/endpoint", attributes))


class ManagedDefinitions(Construct):
    """A job definition for each of the four monitors of the served version.

    Args:
        plans: What is watched, by name.
        jobs: Whom the jobs run as, and where.
        images: The containers of Model Monitor and Clarify.
        questions: What Clarify is asked.
        served: What is watched.
        version: Whose baselines the jobs compare with.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plans: dict[str, MonitorPlan],
        jobs: MonitorJobs,
        images: ManagedImages,
        questions: MonitorQuestions,
        served: ServingKind,
        version: ServedVersion,
    ) -> None:
        super().__init__(scope, construct_id)
        self._job = _Job(jobs=jobs, served=served)
        self._role_arn = jobs.role.role_arn
        self._evidence_uri = version.evidence_uri
        self._specification = jobs.specification
        makers: dict[str, Callable[[MonitorPlan], Quality | Performance | Bias | Attribution]] = {
            "data_quality": partial(self._data_quality, image=images.model_monitor),
            "model_quality": partial(self._model_quality, image=images.model_monitor),
            "bias": partial(self._bias, image=images.clarify, question_uri=questions.bias),
            "explainability": partial(
                self._explainability, image=images.clarify, question_uri=questions.explainability
            ),
        }
        definitions = {name: makers[name](plan) for name, plan in plans.items()}
        for definition in definitions.values():
            definition.add_resource_dependency(served.resource)
        self.names = {name: _name_in(definition.attr_job_definition_arn) for name, definition in definitions.items()}
        version.only_while_served(self)

    def _data_quality(self, plan: MonitorPlan, image: str) -> Quality:
        return Quality(
            self,
            plan.construct_id,
            role_arn=self._role_arn,
            data_quality_app_specification=Quality.DataQualityAppSpecificationProperty(
                image_uri=image, environment={"publish_cloudwatch_metrics": "Enabled"}
            ),
            data_quality_baseline_config={
                "constraintsResource": {"s3Uri": self._baseline("data_quality/constraints.json")},
                "statisticsResource": {"s3Uri": self._baseline("data_quality/statistics.json")},
            },
            data_quality_job_input=self._job.traffic(),
            data_quality_job_output_config=self._job.output(plan),
            job_resources=self._job.resources(),
            network_config=self._job.network(),
            stopping_condition={"maxRuntimeInSeconds": MAX_RUNTIME_SECONDS},
        )

    def _model_quality(self, plan: MonitorPlan, image: str) -> Performance:
        return Performance(
            self,
            plan.construct_id,
            role_arn=self._role_arn,
            model_quality_app_specification=Performance.ModelQualityAppSpecificationProperty(
                image_uri=image,
                problem_type=PROBLEM_TYPES[self._specification.problem],
                environment={"publish_cloudwatch_metrics": "Enabled"},
            ),
            model_quality_baseline_config={
                "constraintsResource": {"s3Uri": self._baseline("model_quality/constraints.json")}
            },
            model_quality_job_input=self._labelled(plan),
            model_quality_job_output_config=self._job.output(plan),
            job_resources=self._job.resources(),
            network_config=self._job.network(),
            stopping_condition={"maxRuntimeInSeconds": MAX_RUNTIME_SECONDS},
        )

    def _bias(self, plan: MonitorPlan, image: str, question_uri: str) -> Bias:
        return Bias(
            self,
            plan.construct_id,
            role_arn=self._role_arn,
            model_bias_app_specification=Bias.ModelBiasAppSpecificationProperty(
                image_uri=image, config_uri=question_uri, environment={"publish_cloudwatch_metrics": "Enabled"}
            ),
            model_bias_baseline_config={"constraintsResource": {"s3Uri": self._baseline("bias/analysis.json")}},
            model_bias_job_input=self._labelled(plan),
            model_bias_job_output_config=self._job.output(plan),
            job_resources=self._job.resources(),
            network_config=self._job.network(),
            stopping_condition={"maxRuntimeInSeconds": MAX_RUNTIME_SECONDS},
        )

    def _explainability(self, plan: MonitorPlan, image: str, question_uri: str) -> Attribution:
        """Clarify starts a shadow endpoint and asks it, so its container needs the network; the subnets bound it."""
        return Attribution(
            self,
            plan.construct_id,
            role_arn=self._role_arn,
            model_explainability_app_specification=Attribution.ModelExplainabilityAppSpecificationProperty(
                image_uri=image, config_uri=question_uri, environment={"publish_cloudwatch_metrics": "Enabled"}
            ),
            model_explainability_baseline_config={
                "constraintsResource": {"s3Uri": self._baseline("explainability/analysis.json")}
            },
            model_explainability_job_input=self._job.traffic(),
            model_explainability_job_output_config=self._job.output(plan),
            job_resources=self._job.resources(),
            network_config=self._job.network(isolated=False),
            stopping_condition={"maxRuntimeInSeconds": MAX_RUNTIME_SECONDS},
        )

    def _baseline(self, name: str) -> str:
        return f"{self._evidence_uri}/{name}"

    def _labelled(self, plan: MonitorPlan) -> dict[str, object]:
        threshold = self._specification.serving.threshold
        answer: dict[str, object] = (
            {"inferenceAttribute": ANSWER}
            if threshold is None
            else {"probabilityAttribute": ANSWER, "probabilityThresholdAttribute": threshold}
        )
        traffic = self._job.traffic(**answer, **self._job.window(plan))
        return {**traffic, "groundTruthS3Input": {"s3Uri": self._job.jobs.ground_truth_uri}}


def _name_in(arn: str) -> str:
    """A schedule wants the definition's name, CloudFormation only tells its ARN."""
    return cdk.Fn.select(1, cdk.Fn.split("/", arn))
