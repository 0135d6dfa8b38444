"""What puts a data set into a model's feature group."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.features.feature_group import FeatureGroup
from baton.foundation.container_role import ContainerRole
from baton.foundation.runtime_code import JobCode
from baton.permissions import allow
from baton.platform import Platform
from baton.specification.model import ModelSpecification
from baton.training.jobs import PROCESSING_INPUT, Machine, Network, ProcessingJob
from baton.training.workplace import Code

INSTANCE_TYPE = "ml.m5.xlarge"
# A record takes some 10 ms and 16 are under way at a time: some five million in an hour.
MAX_RUNTIME_SECONDS = 4 * 3600


class FeatureFilling(Construct):
    """A function that starts a processing job which writes the current data set to the group.

    The job has a network, for it calls the Feature Store, but no way out of the platform's own. It runs as a role of
    its own, which reads this model's curated data and writes to this one group.

    Args:
        platform: Keys, zones and network.
        model: The model.
        group: Its feature group.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        group: FeatureGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        self._model = model
        self._group = group
        self._code = JobCode(self, "Code", model=model, source=platform.source, wheels=platform.wheels)
        self._container = self._job_role()
        prefix = f"baton-{platform.environment_name}-{model.slug}-fs-"
        self.job_name_pattern = f"{prefix}*"
        self.job_arn_pattern = cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="processing-job", resource_name=self.job_name_pattern
        )
        handler = platform.handler_function(
            self,
            "Function",
            handler="start_features",
            description=f"Starts the job that puts the current data set of {model.name} into its feature group",
            environment={
                "MODEL_NAME": model.name,
                "CURATED_BUCKET": platform.zones.curated.bucket_name,
                "FEATURE_GROUP": group.name,
                "JOB_NAME_PREFIX": prefix,
                "JOB": cdk.Stack.of(self).to_json_string(self._request()),
            },
        )
        self.function = handler.function
        self._role = handler.role
        self._let_it_read_the_pointer(f"{model.name}/current.json")
        self._let_it_start_jobs()

    def _job_role(self) -> ContainerRole:
        container = ContainerRole(
            self,
            "Role",
            description=f"Fills the feature group of {self._model.name}",
            network=self._platform.network,
            images=[self._platform.images.xgboost],
            log_group_prefix="/aws/sagemaker/ProcessingJobs",
        )
        container.grant_read(self._platform.zones.curated, f"{self._model.name}/", self._platform.keys.data)
        container.grant_volumes(self._platform.keys.data)
        self._code.grant_read(container.role)
        self._group.grant_write(container.role)
        return container

    def _request(self) -> dict[str, Any]:
        """The CreateProcessingJob request, but for what only the moment knows: its name and its data set."""
        network = self._platform.network
        code = Code(
            s3_uri=self._code.code.s3_object_url,
            file=self._code.code_file,
            wheels_s3_uri=self._code.wheels.s3_object_url,
        )
        job = ProcessingJob(
            image=self._platform.images.xgboost,
            role_arn=self._container.role.role_arn,
            machine=Machine(instance_type=INSTANCE_TYPE, volume_key_arn=self._platform.keys.data.key_arn),
            network=Network(
                subnet_ids=tuple(network.subnet_ids),
                security_group_ids=tuple(network.security_group_ids),
                isolated=False,
            ),
            output_key_arn=self._platform.keys.data.key_arn,
            max_runtime_seconds=MAX_RUNTIME_SECONDS,
            inputs=code.inputs(),
            outputs=(),
            entrypoint=(
                "python3",
                "-m",
                "pipeline_scripts",
                "features.fill",
                "--dataset",
                f"{PROCESSING_INPUT}/dataset",
            ),
            environment={**code.environment(PROCESSING_INPUT), "BATON_FEATURE_GROUP": self._group.name},
        )
        return job.render()

    def _let_it_read_the_pointer(self, key: str) -> None:
        """Who may not list a bucket is told "access denied" where the truth is "no such object"."""
        bucket = self._platform.zones.curated
        allow(self._role, ["s3:GetObject"], [bucket.arn_for_objects(key)])
        allow(self._role, ["s3:ListBucket"], [bucket.bucket_arn], conditions={"StringEquals": {"s3:prefix": key}})
        allow(self._role, ["kms:Decrypt"], [self._platform.keys.data.key_arn])

    def _let_it_start_jobs(self) -> None:
        allow(
            self._role,
            ["sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob"],
            [self.job_arn_pattern],
            why="A job is named after its group and its data set.",
        )
        allow(
            self._role,
            ["iam:PassRole"],
            [self._container.role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
        allow(
            self._role,
            ["kms:CreateGrant", "kms:DescribeKey"],
            [self._platform.keys.data.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"sagemaker.{self._platform.region}.amazonaws.com"}},
        )
