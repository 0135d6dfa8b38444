"""What the personas have in common: reading zones, tables, logs and states."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from baton.governance.bounded_role import Duty
from baton.lake.zones import QUERY_RESULTS

NO_RESOURCE = "These calls list or describe, and IAM defines no resource that they could be scoped to."


def read_zone(bucket: s3.IBucket, key: kms.IKey, prefixes: Sequence[str]) -> list[Duty]:
    """Read what lies below `prefixes`, and decrypt it through S3 alone."""
    return [
        Duty(
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"{prefix}/*" for prefix in prefixes]}},
        ),
        Duty(
            actions=["s3:GetObject", "s3:GetObjectVersion"],
            resources=[bucket.arn_for_objects(f"{prefix}/*") for prefix in prefixes],
            why_wildcard="A zone holds any number of objects; the prefix bounds them to one model's.",
        ),
        decrypt(key, through="s3"),
    ]


def request_erasures(vault: s3.IBucket, key: kms.IKey, prefixes: Sequence[str]) -> list[Duty]:
    """Lay the name of somebody who is to be forgotten into the vault, where only the ETL job can read it."""
    region = cdk.Stack.of(key).region
    return [
        Duty(
            actions=["s3:PutObject"],
            resources=[vault.arn_for_objects(f"{prefix}/erasures/*") for prefix in prefixes],
            why_wildcard="Each request is an object of its own, which the person who makes it names.",
        ),
        Duty(
            actions=["kms:GenerateDataKey"],
            resources=[key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
        ),
    ]


def decrypt(key: kms.IKey, *, through: str) -> Duty:
    """Use a key where a service asks for it on the caller's behalf, and never on ciphertext of one's own."""
    region = cdk.Stack.of(key).region
    return Duty(
        actions=["kms:Decrypt"],
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{through}.{region}.amazonaws.com"}},
    )


def query(
    *, stack: cdk.Stack, database_name: str, work_group_name: str, curated: s3.IBucket, key: kms.IKey
) -> list[Duty]:
    """Query the catalogue in Athena's workgroup, whose results lie in the curated zone for a week."""

    def glue(resource: str, name: str | None = None) -> str:
        return stack.format_arn(service="glue", resource=resource, resource_name=name)

    return [
        Duty(
            actions=[
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:GetWorkGroup",
                "athena:StartQueryExecution",
                "athena:StopQueryExecution",
            ],
            resources=[stack.format_arn(service="athena", resource="workgroup", resource_name=work_group_name)],
        ),
        Duty(
            actions=["glue:GetDatabase", "glue:GetTable", "glue:GetTables"],
            resources=[glue("catalog"), glue("database", database_name), glue("table", f"{database_name}/*")],
            why_wildcard="The database holds the tables of the models and of their feature groups, and nothing else.",
        ),
        Duty(actions=["s3:GetBucketLocation"], resources=[curated.bucket_arn]),
        Duty(
            actions=["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
            resources=[curated.arn_for_objects(f"{QUERY_RESULTS}*")],
            why_wildcard="Athena names each result after its query.",
        ),
        Duty(
            actions=["kms:GenerateDataKey"],
            resources=[key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
        ),
    ]


def read_logs(stack: cdk.Stack, prefixes: Sequence[str]) -> Duty:
    """Read the log groups below `prefixes`."""
    return Duty(
        actions=["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"],
        resources=[
            stack.format_arn(
                service="logs",
                resource="log-group",
                resource_name=f"{prefix}*",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            for prefix in prefixes
        ],
        why_wildcard="The services name the log groups of jobs and endpoints; the prefix is what they have in common.",
    )


def read_lineage() -> Duty:
    """Follow a version to what made it and what came of it."""
    return Duty(
        actions=[
            "sagemaker:DescribeAction",
            "sagemaker:DescribeArtifact",
            "sagemaker:DescribeContext",
            "sagemaker:ListActions",
            "sagemaker:ListArtifacts",
            "sagemaker:QueryLineage",
        ],
        resources=["*"],
        why_wildcard="Questions about lineage know no resource, and SageMaker names most of its entities itself.",
    )


def watch() -> Duty:
    """Read metrics, alarms and dashboards."""
    return Duty(
        actions=[
            "cloudwatch:DescribeAlarmHistory",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:GetDashboard",
            "cloudwatch:GetMetricData",
            "cloudwatch:ListDashboards",
            "cloudwatch:ListMetrics",
        ],
        resources=["*"],
        why_wildcard=NO_RESOURCE,
    )
