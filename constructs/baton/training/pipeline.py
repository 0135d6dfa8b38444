"""The training pipeline of one model, as AWS runs it."""

from functools import partial
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.clarify import questions
from baton.clarify.configuration import ClarifyConfiguration
from baton.foundation.images import Images, ManagedImages
from baton.foundation.runtime_code import JobCode
from baton.platform import Platform
from baton.registry.model_registry import ModelRegistry
from baton.specification.model import ModelSpecification
from baton.specification.wrangler import Wrangler
from baton.training.champion_finder import ChampionFinder
from baton.training.evidence_signer import EvidenceSigner
from baton.training.managed_analyses import ClarifyQuestions, managed_analyses
from baton.training.model_pipeline import (
    DATASET_URI,
    SERVING_ENVIRONMENT,
    Backend,
    DriftConfigurations,
    Functions,
    training_definition,
)
from baton.training.open_analyses import open_analyses
from baton.training.roles import JobRole, PipelineRole
from baton.training.steps import ProcessingStep
from baton.training.workplace import Code, Workplace
from baton.training.wrangler_step import FlowFile, wrangle_step


class TrainingPipeline(Construct):
    """Turns a dataset into a version that waits for approval, or into a reason why not.

    The pipeline has a name, because callers start it by name. Scripts run in private subnets and without a network of
    their own, under a role that can neither start jobs nor touch the registry.

    Args:
        platform: The environment's foundation. Its analysis backend chooses between Baton's scripts and AWS's
            containers.
        model: The model to train.
        name: The name of the pipeline, unique in the account and region.
        registry: Where versions are registered.

    Raises:
        ValueError: The region offers no container for the backend, or none for the model's flow.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/define-pipeline.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        name: str,
        registry: ModelRegistry,
    ) -> None:
        super().__init__(scope, construct_id)
        images = platform.images
        managed = _managed_images(platform, images)
        wrangler_image = _wrangler_image(platform, model, images)
        containers = [images.xgboost, *((managed.model_monitor, managed.clarify) if managed else ())]
        containers += [wrangler_image] if wrangler_image else []
        self._job_role = JobRole(
            self,
            "JobRole",
            platform=platform,
            model_name=model.name,
            images=containers,
            asks_shadow_endpoints=managed is not None,
            runs_flow=wrangler_image is not None,
        )
        self.signer = EvidenceSigner(self, "Signer", platform=platform, model=model.name)
        finder = ChampionFinder(self, "ChampionFinder", platform=platform, model=model.name, registry=registry)
        functions = Functions(champion_finder=finder.function.function_arn, signer=self.signer.function.function_arn)
        pipeline_role = PipelineRole(
            self,
            "PipelineRole",
            platform=platform,
            model_name=model.name,
            job_role=self._job_role.role,
            registry=registry,
            creates_models=managed is not None,
            called=[functions.champion_finder, functions.signer],
            tunes=model.training.tuning is not None,
        )
        workplace = self._workplace(platform, model, registry, images)
        analyse = self._managed(workplace, model, managed) if managed else partial(open_analyses, workplace)
        wrangle = None
        if model.wrangler and wrangler_image:
            wrangle = self._wrangle(workplace, platform, model.wrangler, wrangler_image)
        self.definition = training_definition(
            workplace,
            model=model,
            commit=platform.commit,
            author=platform.author,
            drift_configurations=DriftConfigurations(
                bias=ClarifyConfiguration(
                    self, "BiasMonitorQuestion", question=questions.bias_monitor_question(model)
                ).s3_uri,
                explainability=ClarifyConfiguration(
                    self, "ExplainabilityMonitorQuestion", question=questions.explainability_monitor_question(model)
                ).s3_uri,
            ),
            analyse=analyse,
            functions=functions,
            wrangle=wrangle,
        )
        self.pipeline_name = name
        self._resource = sagemaker.CfnPipeline(
            self,
            "Resource",
            pipeline_name=name,
            pipeline_description=f"{model.title}: from a dataset to a version that waits for approval",
            pipeline_definition={"PipelineDefinitionBody": cdk.Stack.of(self).to_json_string(self.definition.render())},
            role_arn=pipeline_role.role.role_arn,
        )
        self.pipeline_arn = cdk.Stack.of(self).format_arn(service="sagemaker", resource="pipeline", resource_name=name)

    @property
    def job_role_arn(self) -> str:
        """What the scripts run as."""
        return self._job_role.role.role_arn

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` start this pipeline."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["sagemaker:StartPipelineExecution"], resource_arns=[self.pipeline_arn]
        )

    def on_succeeded(self, scope: Construct, construct_id: str, *, description: str) -> events.Rule:
        """A rule in `scope` that hears of every execution that registered a version."""
        return self._on_status(scope, construct_id, "Succeeded", description)

    def on_failed(self, scope: Construct, construct_id: str, *, description: str) -> events.Rule:
        """A rule in `scope` that hears of every execution that failed, whether a job broke or the gate refused."""
        return self._on_status(scope, construct_id, "Failed", description)

    def metric_executions_succeeded(self) -> cloudwatch.Metric:
        """How many executions ended well, in 5 minutes."""
        return self._metric("ExecutionSucceeded", statistic="Sum")

    def metric_executions_failed(self) -> cloudwatch.Metric:
        """How many executions failed, in 5 minutes."""
        return self._metric("ExecutionFailed", statistic="Sum")

    def metric_execution_duration(self) -> cloudwatch.Metric:
        """How long an execution took, in milliseconds, at most in 5 minutes."""
        return self._metric("ExecutionDuration", statistic="Maximum")

    def _on_status(self, scope: Construct, construct_id: str, status: str, description: str) -> events.Rule:
        return events.Rule(
            scope,
            construct_id,
            description=description,
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Building Pipeline Execution Status Change"],
                detail={"pipelineArn": [self.pipeline_arn], "currentPipelineExecutionStatus": [status]},
            ),
        )

    def _metric(self, name: str, *, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Sagemaker/ModelBuildingPipeline",
            metric_name=name,
            dimensions_map={"PipelineName": self.pipeline_name},
            statistic=statistic,
        )

    def _workplace(
        self, platform: Platform, model: ModelSpecification, registry: ModelRegistry, images: Images
    ) -> Workplace:
        code = JobCode(self, "Code", model=model, source=platform.source, wheels=platform.wheels)
        code.grant_read(self._job_role.role)
        zones = platform.zones
        return Workplace(
            image=images.xgboost,
            job_role_arn=self._job_role.role.role_arn,
            subnet_ids=platform.network.subnet_ids,
            security_group_ids=platform.network.security_group_ids,
            data_key_arn=platform.keys.data.key_arn,
            models_key_arn=platform.keys.models.key_arn,
            code=Code(s3_uri=code.code.s3_object_url, file=code.code_file, wheels_s3_uri=code.wheels.s3_object_url),
            features_uri=zones.features.s3_url_for_object(model.name),
            models_uri=zones.models.s3_url_for_object(model.name),
            evidence_uri=zones.evidence.s3_url_for_object(model.name),
            group_name=registry.group_name,
            instance_type=model.training.instance_type,
            max_runtime_seconds=model.training.max_runtime_minutes * 60,
        )

    def _managed(self, workplace: Workplace, model: ModelSpecification, images: ManagedImages) -> Backend:
        return partial(
            managed_analyses,
            workplace,
            images=images,
            questions=ClarifyQuestions(
                data_bias=self._question("DataBiasQuestion", questions.data_bias_question(model)),
                model_bias=self._question("ModelBiasQuestion", questions.model_bias_question(model)),
                explainability=self._question("ExplainabilityQuestion", questions.explainability_question(model)),
            ),
            serving_environment=SERVING_ENVIRONMENT,
        )

    def _wrangle(self, workplace: Workplace, platform: Platform, wrangler: Wrangler, image: str) -> ProcessingStep:
        flow = FlowFile(self, "Flow", folder=platform.source / "config" / "flows", wrangler=wrangler)
        flow.grant_read(self._job_role.role)
        return wrangle_step(
            workplace,
            image=image,
            flow_s3_uri=flow.s3_uri,
            node_id=flow.node_id,
            dataset_name=flow.dataset_name,
            dataset=DATASET_URI.value,
            instance_type=wrangler.instance_type,
        )

    def _question(self, construct_id: str, question: dict[str, Any]) -> str:
        configuration = ClarifyConfiguration(self, construct_id, question=question)
        configuration.grant_read(self._job_role.role)
        return configuration.s3_uri


def _managed_images(platform: Platform, images: Images) -> ManagedImages | None:
    if platform.analysis_backend == "open":
        return None
    if images.managed is None:
        raise ValueError(
            f"region {platform.region} has no container for the managed analyses; "
            f"set analysis_backend to open in config/environments/{platform.environment_name}.yaml"
        )
    return images.managed


def _wrangler_image(platform: Platform, model: ModelSpecification, images: Images) -> str | None:
    if model.wrangler is None:
        return None
    if images.data_wrangler is None:
        raise ValueError(
            f"region {platform.region} has no container of Data Wrangler; remove wrangler from "
            f"config/models/{model.name}.yaml, or choose another region"
        )
    return images.data_wrangler
