"""What makes a registered version once more, to see whether it comes out the same."""

import aws_cdk as cdk
from constructs import Construct

from baton.permissions import allow
from baton.platform import Platform
from baton.registry.approval_rule import forbid_approval
from baton.registry.model_registry import ModelRegistry
from baton.registry.reading import let_read
from baton.specification.model import ModelSpecification
from baton.training.pipeline import TrainingPipeline
from baton.training.roles import STARTED_BY_PIPELINES, TUNED_BY_PIPELINES


class Reproduction(Construct):
    """A function that repeats the two jobs that made a version, as they were recorded, into a folder of their own.

    People may not start jobs: the role of the jobs writes artefacts. This function may, and repeats what the pipeline
    ran. It can write nothing itself and registers nothing.

    Args:
        platform: The environment's foundation.
        model: The model.
        pipeline: What made its versions.
        registry: Where they are registered.

    Attributes:
        function: Takes the number of a version; see `pipeline_scripts.functions.reproduce_version`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        pipeline: TrainingPipeline,
        registry: ModelRegistry,
    ) -> None:
        super().__init__(scope, construct_id)
        zones, job_prefix = platform.zones, f"baton-{platform.environment_name}-{model.slug}"
        handler = platform.handler_function(
            self,
            "Function",
            handler="reproduce_version",
            description=f"Makes a version of {model.name} once more, beside the first",
            environment={
                **pipeline.signer.evidence.environment,
                "MODEL_PACKAGE_GROUP": registry.group_name,
                "PIPELINE_NAME": pipeline.pipeline_name,
                "JOB_PREFIX": job_prefix,
                "FEATURES_URI": zones.features.s3_url_for_object(model.name),
                "MODELS_URI": zones.models.s3_url_for_object(model.name),
            },
            timeout=cdk.Duration.minutes(2),
        )
        self.function, self._role = handler.function, handler.role
        let_read(self._role, registry)
        pipeline.signer.evidence.grant_verify(self._role)
        self._allow_reading_executions(pipeline.pipeline_arn)
        self._allow_jobs(f"{job_prefix}-v*", pipeline.job_role_arn)
        volumes = [platform.keys.data.key_arn, platform.keys.models.key_arn]
        allow(self._role, ["kms:DescribeKey"], volumes)
        allow(self._role, ["kms:CreateGrant"], volumes, conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}})
        forbid_approval(self._role)

    def _allow_reading_executions(self, pipeline_arn: str) -> None:
        why = "SageMaker makes up the ids of executions, and Pipelines names its jobs after them."
        allow(self._role, ["sagemaker:ListPipelineExecutionSteps"], [f"{pipeline_arn}/execution/*"], why=why)
        kinds = {
            "ProcessingJob": ("processing-job", (STARTED_BY_PIPELINES,)),
            "TrainingJob": ("training-job", (STARTED_BY_PIPELINES, *TUNED_BY_PIPELINES)),
            "HyperParameterTuningJob": ("hyper-parameter-tuning-job", TUNED_BY_PIPELINES),
        }
        for call, (resource, names) in kinds.items():
            jobs = [self._arn(resource, name) for name in names]
            allow(self._role, [f"sagemaker:Describe{call}"], jobs, why=why)

    def _allow_jobs(self, name: str, job_role_arn: str) -> None:
        """Only without a network, as the recorded ones are: see the pipeline's own jobs."""
        for call, resource in {"ProcessingJob": "processing-job", "TrainingJob": "training-job"}.items():
            job = self._arn(resource, name)
            why = "A job is named after the version and the run, which the caller chooses."
            allow(self._role, [f"sagemaker:Describe{call}"], [job], why=why)
            allow(
                self._role,
                [f"sagemaker:Create{call}"],
                [job],
                why=why,
                conditions={"Bool": {"sagemaker:NetworkIsolation": "true"}},
            )
        allow(
            self._role,
            ["iam:PassRole"],
            [job_role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )

    def _arn(self, resource: str, name: str) -> str:
        return cdk.Stack.of(self).format_arn(service="sagemaker", resource=resource, resource_name=name)
