"""The ETL job of one model."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from baton.etl.job_role import SHARED, EtlJobRole
from baton.etl.source_access import SourceAccess
from baton.foundation.etl_libraries import EtlLibraries
from baton.foundation.runtime_code import PACKAGE, JobCode
from baton.platform import Platform
from baton.specification.model import ModelSpecification

# Spark reads the other engines itself, or boto3 does, which Glue has.
LIBRARY_ENGINES = ("mongodb", "documentdb", "redis")


class GlueEtlJob(Construct):
    """A Glue 5 job that carries one model's rows from their source to the curated zone.

    One run at a time: two would give the same new person two surrogates. The ingestion workflow starts it, and tries
    again: Glue's own second attempt would hide behind an id of its own. A run publishes at its very end, so trying
    again does no harm.

    Args:
        platform: The environment's foundation.
        model: The model whose source is read.
        source: The way to that source.
        pseudonym_key: The key of the keyed hashes.
        code: The model's code.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        source: SourceAccess,
        pseudonym_key: secretsmanager.ISecret,
        code: JobCode,
    ) -> None:
        super().__init__(scope, construct_id)
        script = s3_assets.Asset(self, "Script", path=str(platform.source / PACKAGE / "etl" / "glue_entry.py"))
        self.role = EtlJobRole(
            self,
            "Role",
            platform=platform,
            model=model,
            source=source,
            pseudonym_key=pseudonym_key,
        ).role
        code.grant_read(self.role)
        shipped = [code.code]
        if source.engine in LIBRARY_ENGINES:
            libraries = EtlLibraries(self, "Libraries", source=platform.source, folder=platform.etl_libraries)
            libraries.grant_read(self.role)
            shipped.append(libraries.asset)
        iam.Grant.add_to_principal(
            grantee=self.role,
            actions=["s3:GetObject"],
            resource_arns=[script.bucket.arn_for_objects(script.s3_object_key)],
        )
        zones = platform.zones
        job = glue.CfnJob(
            self,
            "Resource",
            description=f"{model.title}: from the source to the curated zone, without personal data",
            role=self.role.role_arn,
            glue_version="5.0",
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=script.s3_object_url
            ),
            worker_type="G.1X",
            number_of_workers=2,  # the least that Glue takes: a driver and an executor
            timeout=120,  # minutes; Glue's own default is two days, and bills them
            max_retries=0,
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=1),
            connections=glue.CfnJob.ConnectionsListProperty(connections=[source.connection_name]),
            security_configuration=self._security_configuration(platform),
            default_arguments={
                **source.arguments,
                "--extra-py-files": ",".join(asset.s3_object_url for asset in shipped),
                "--pseudonym_secret_arn": pseudonym_key.secret_arn,
                "--curated_uri": zones.curated.s3_url_for_object(model.name),
                "--vault_uri": zones.vault.s3_url_for_object(model.name),
                "--shared_vault_uri": zones.vault.s3_url_for_object(SHARED),
                "--evidence_uri": zones.evidence.s3_url_for_object(model.name),
                "--code_commit": platform.commit,
                "--TempDir": zones.raw.s3_url_for_object(f"{model.name}/tmp/"),
                "--job-language": "python",
                "--job-bookmark-option": "job-bookmark-disable",
                "--enable-continuous-cloudwatch-log": "true",
                "--enable-job-insights": "true",
                "--enable-metrics": "true",
            },
        )
        # Glue reads the script and the connection as the role, whose policy is a resource of its own.
        job.node.add_dependency(self.role)
        self.job_name = job.ref
        self.job_arn = cdk.Stack.of(self).format_arn(service="glue", resource="job", resource_name=job.ref)

    def _security_configuration(self, platform: Platform) -> str:
        """What Spark itself writes lies in the vault and in raw, so it takes the vault's key."""
        encryption = glue.CfnSecurityConfiguration
        return encryption(
            self,
            "Encryption",
            name=cdk.Names.unique_resource_name(self, max_length=120, separator="-"),
            encryption_configuration=encryption.EncryptionConfigurationProperty(
                s3_encryptions=[
                    encryption.S3EncryptionProperty(
                        s3_encryption_mode="SSE-KMS", kms_key_arn=platform.keys.vault.key_arn
                    )
                ],
                cloud_watch_encryption=encryption.CloudWatchEncryptionProperty(
                    cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=platform.keys.operations.key_arn
                ),
                job_bookmarks_encryption=encryption.JobBookmarksEncryptionProperty(
                    job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=platform.keys.operations.key_arn
                ),
            ),
        ).ref

    def metric_failed_tasks(self, **options: Any) -> cloudwatch.Metric:
        """Spark tasks that failed in the driver's count, summed over 5 minutes unless told."""
        return cloudwatch.Metric(
            namespace="Glue",
            metric_name="glue.driver.aggregate.numFailedTasks",
            dimensions_map={"JobName": self.job_name, "JobRunId": "ALL", "Type": "count"},
            **{"statistic": "Sum", **options},
        )
