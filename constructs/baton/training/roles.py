"""As whom a training pipeline acts: one role starts the jobs, the other is what the scripts run as."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.clarify.shadow_endpoint import ACTIONS, shadow_endpoints
from baton.foundation.container_role import ContainerRole
from baton.permissions import allow
from baton.platform import Platform
from baton.registry.approval_rule import forbid_approval
from baton.registry.model_registry import ModelRegistry
from baton.training.wrangler_step import WRANGLED

# What SageMaker Pipelines calls the jobs and models that it starts for a step.
STARTED_BY_PIPELINES = "pipelines-*"
# What it calls a tuning job, whose name is short: the execution's id, the step's name and more. An ARN may keep the
# capitals of the name or not. The jobs of the tuning are called after it.
TUNED_BY_PIPELINES = ("????????????-Train-*", "????????????-train-*")


class JobRole(Construct):
    """What a model's scripts run as: they read its dataset and write its features, artefact and evidence.

    Args:
        platform: The environment's foundation.
        model_name: The model, whose name is its prefix in every zone.
        images: The URIs of the containers.
        asks_shadow_endpoints: Whether Clarify runs as this role, and so starts endpoints.
        runs_flow: Whether Data Wrangler runs as this role, and so writes to S3 with Spark.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model_name: str,
        images: Sequence[str],
        asks_shadow_endpoints: bool,
        runs_flow: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        container = ContainerRole(
            self,
            "Container",
            description=f"Jobs of the training pipeline of {model_name}",
            network=platform.network,
            images=images,
            log_group_prefix="/aws/sagemaker/",
        )
        zones, keys, prefix = platform.zones, platform.keys, f"{model_name}/"
        container.grant_read(zones.curated, prefix, keys.data)
        for bucket, key in ((zones.features, keys.data), (zones.models, keys.models), (zones.evidence, keys.models)):
            container.grant_read(bucket, prefix, key)
            container.grant_write(bucket, prefix, key)
        for key in (keys.data, keys.models):
            container.grant_volumes(key)
        self.role = container.role
        allow(
            self.role,
            ["cloudwatch:PutMetricData"],
            ["*"],
            why="PutMetricData knows no resource; the condition bounds the namespace to SageMaker's own.",
            conditions={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        )
        if runs_flow:
            allow(
                self.role,
                ["s3:DeleteObject"],
                [zones.features.arn_for_objects(f"{prefix}*/{WRANGLED}/*")],
                why="Spark commits a file by renaming it, in S3 a copy and a deletion, in a folder of each execution.",
            )
        if asks_shadow_endpoints:
            self._allow_shadow_endpoints()
        forbid_approval(self.role)

    def _allow_shadow_endpoints(self) -> None:
        """Clarify asks the model through an endpoint of its own.

        See:
            https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-configure-how-it-works.html
        """
        models = _sagemaker_arn(self, "model", STARTED_BY_PIPELINES)
        why = "Clarify and Pipelines make up the rest of these names when they start a model or a shadow endpoint."
        allow(self.role, ["sagemaker:DescribeModel"], [models], why=why)
        allow(self.role, ["sagemaker:AddTags", *ACTIONS], shadow_endpoints(self), why=why)


class PipelineRole(Construct):
    """What SageMaker Pipelines acts as: it starts and watches jobs, and registers versions that wait for approval.

    Args:
        platform: The environment's foundation.
        model_name: The model, whose name is its prefix in every zone.
        job_role: The only role that it may hand on, and only to SageMaker.
        registry: Where it registers.
        creates_models: Whether a step creates a model for Clarify to ask.
        called: The ARNs of the functions that it may call, those of its steps.
        tunes: Whether a step searches for hyper-parameters.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model_name: str,
        job_role: iam.IRole,
        registry: ModelRegistry,
        creates_models: bool,
        called: Sequence[str],
        tunes: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Resource",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description=f"Training pipeline of {model_name}",
        )
        allow(
            self.role,
            ["iam:PassRole"],
            [job_role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
        self._allow_jobs(creates_models=creates_models)
        if tunes:
            self._allow_tuning()
        allow(self.role, ["lambda:InvokeFunction"], called)
        self._allow_registration(registry)
        self._allow_reading_evidence(platform, f"{model_name}/")
        forbid_approval(self.role)

    def _allow_jobs(self, *, creates_models: bool) -> None:
        kinds = {"ProcessingJob": "processing-job", "TrainingJob": "training-job"}
        why = "SageMaker Pipelines names each job after the execution, so only the beginning of the name is known."
        for call, resource in kinds.items():
            allow(
                self.role,
                [*(f"sagemaker:{verb}{call}" for verb in ("Create", "Describe", "Stop")), "sagemaker:AddTags"],
                [_sagemaker_arn(self, resource, STARTED_BY_PIPELINES)],
                why=why,
            )
        if creates_models:
            allow(
                self.role,
                ["sagemaker:CreateModel", "sagemaker:DescribeModel", "sagemaker:AddTags"],
                [_sagemaker_arn(self, "model", STARTED_BY_PIPELINES)],
                why=why,
            )

    def _allow_tuning(self) -> None:
        """SageMaker itself starts and stops the training jobs of a tuning, on the tuning job's behalf."""
        actions = (
            "sagemaker:AddTags",
            "sagemaker:CreateHyperParameterTuningJob",
            "sagemaker:DescribeHyperParameterTuningJob",
            "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
            "sagemaker:StopHyperParameterTuningJob",
        )
        why = "SageMaker Pipelines names a tuning job after the execution, so only the step's part of it is known."
        jobs = [_sagemaker_arn(self, "hyper-parameter-tuning-job", name) for name in TUNED_BY_PIPELINES]
        allow(self.role, actions, jobs, why=why)

    def _allow_registration(self, registry: ModelRegistry) -> None:
        registry.grant_register(self.role)
        registry.grant_read(self.role)
        allow(
            self.role,
            ["sagemaker:AddTags"],
            [registry.versions_arn],
            why="The registry numbers the versions of this one group, so their names end in what is not known yet.",
        )

    def _allow_reading_evidence(self, platform: Platform, prefix: str) -> None:
        """JsonGet reads the gate's report, and a registration looks at the artefact, as this role."""
        zones, keys = platform.zones, platform.keys
        allow(
            self.role,
            ["s3:GetObject"],
            [bucket.arn_for_objects(f"{prefix}*") for bucket in (zones.models, zones.evidence)],
            why="Each execution has a folder of its own under this model's prefix, named when it starts.",
        )
        allow(self.role, ["kms:Decrypt"], [keys.models.key_arn])
        # Who starts a job lets SageMaker use the key of the job's volume, for as long as the job lives.
        volumes = [keys.data.key_arn, keys.models.key_arn]
        allow(self.role, ["kms:DescribeKey"], volumes)
        allow(self.role, ["kms:CreateGrant"], volumes, conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}})


def _sagemaker_arn(scope: Construct, resource: str, name: str) -> str:
    return Stack.of(scope).format_arn(service="sagemaker", resource=resource, resource_name=name)
