"""Where people query the curated zone."""

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from baton.lake.zones import QUERY_RESULTS


class QueryWorkGroup(Construct):
    """An Athena workgroup whose settings no client can override.

    Args:
        name: Its name in Athena, where names are the only identity.
        results: The bucket of the results, which its lifecycle rule forgets again.
        key: Encrypts the results.
        scan_limit: What one query may read; Athena bills by bytes read, and stops a query that passes it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        results: s3.IBucket,
        key: kms.IKey,
        scan_limit: cdk.Size,
    ) -> None:
        super().__init__(scope, construct_id)
        self.work_group_name = name
        athena.CfnWorkGroup(
            self,
            "Resource",
            name=name,
            description="Baton: queries over the curated zone",
            recursive_delete_option=True,  # a workgroup with a query history could never be deleted otherwise
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=scan_limit.to_bytes(),
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=results.s3_url_for_object(QUERY_RESULTS),
                    expected_bucket_owner=cdk.Stack.of(self).account,
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )
