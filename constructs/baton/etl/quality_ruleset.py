"""A model's quality rules in AWS's own console: judged again, by Glue, on what was published."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.etl.dqdl import ruleset_of
from baton.lake.catalog import HIVE_TYPES
from baton.permissions import acknowledge_wildcards, allow
from baton.platform import Platform
from baton.specification.model import ModelSpecification

RUNS = "A run belongs to several rulesets, so AWS asks for its permission on all of them."
WORKERS = 2  # the least that Glue takes; five is its own default
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


class QualityRuleset(Construct):
    """The rules of one model as a Glue ruleset, and who evaluates it.

    Our own gate stands before publication, in the ETL job; this is the record after it. The rules are evaluated on one
    version, a partition of the table of all versions: Glue's Spark reads the partitions that the catalogue holds, and
    knows nothing of the projection by which Athena finds them. So each version is registered first.

    Args:
        platform: The environment's foundation.
        model: The model whose rules they are.
        ruleset: The rules in DQDL.
        table_name: The table of all versions, partitioned by run.
        partition_key: The name of that partition.

    See:
        https://docs.aws.amazon.com/glue/latest/dg/data-quality-authorization.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        ruleset: str,
        table_name: str,
        partition_key: str = "run_id",
    ) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        self._model = model
        self._partition_key = partition_key
        self._table = {"DatabaseName": platform.database_name, "TableName": table_name}
        resource = glue.CfnDataQualityRuleset(
            self,
            "Resource",
            name=cdk.Names.unique_resource_name(self, max_length=255, separator="-"),
            description=f"{model.title}: what its rows must be like",
            ruleset=ruleset,
            target_table=glue.CfnDataQualityRuleset.DataQualityTargetTableProperty(
                database_name=platform.database_name, table_name=table_name
            ),
        )
        self.ruleset_name = resource.ref
        self.ruleset_arn = self._arn("dataQualityRuleset", resource.ref)
        self._all_rulesets = self._arn("dataQualityRuleset", "*")
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("glue.amazonaws.com"),
            description=f"Reads what was published of {model.name} and judges it",
        )
        self._read_versions()
        self._judge()

    @classmethod
    def of(
        cls, scope: Construct, construct_id: str, *, platform: Platform, model: ModelSpecification
    ) -> "QualityRuleset | None":
        """The ruleset of a model; None where it has no rule that Glue can judge."""
        ruleset = ruleset_of(model)
        if ruleset is None:
            return None
        return cls(
            scope,
            construct_id,
            platform=platform,
            model=model,
            ruleset=ruleset,
            table_name=f"{model.name}_versions",
        )

    def grant_evaluate(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` register a version, evaluate the rules on it, and read the results."""
        iam.Grant.add_to_principal(grantee=grantee, actions=["glue:CreatePartition"], resource_arns=self._catalogue())
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["iam:PassRole"],
            resource_arns=[self.role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
        )
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["glue:GetDataQualityRulesetEvaluationRun"], resource_arns=[self._all_rulesets]
        )
        if isinstance(grantee.grant_principal, iam.Role):
            acknowledge_wildcards(grantee.grant_principal, [self._all_rulesets], reason=RUNS)
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["glue:GetDataQualityResult", "glue:StartDataQualityRulesetEvaluationRun"],
            resource_arns=[self.ruleset_arn],
        )

    def register_arguments(self, *, run_id: str, dataset_uri: str) -> Mapping[str, Any]:
        """Arguments of Glue's `createPartition`, which makes one version a partition that Glue itself can read.

        A version that is registered already is refused with `Glue.AlreadyExistsException`, which is as good.

        Args:
            run_id: The version, as a text or as `sfn.JsonPath.string_at`.
            dataset_uri: Where its files lie, likewise.
        """
        columns = [
            {"Name": name.lower(), "Type": HIVE_TYPES[column.curated_type]}
            for name, column in self._model.outputs.items()
        ]
        storage = {**PARQUET, "Location": dataset_uri, "Columns": columns}
        return {**self._table, "PartitionInput": {"Values": sfn.JsonPath.array(run_id), "StorageDescriptor": storage}}

    def evaluate_arguments(self, *, run_id: str) -> Mapping[str, Any]:
        """Arguments of Glue's `startDataQualityRulesetEvaluationRun` for one registered version.

        Args:
            run_id: The version, as a text or as `sfn.JsonPath.string_at`.
        """
        only = sfn.JsonPath.format(f'{self._partition_key}="{{}}"', run_id)
        return {
            "DataSource": {"GlueTable": {**self._table, "AdditionalOptions": {"pushDownPredicate": only}}},
            "Role": self.role.role_arn,
            "NumberOfWorkers": WORKERS,
            "Timeout": 60,  # minutes
            "RulesetNames": [self.ruleset_name],
            "AdditionalRunOptions": {"CloudWatchMetricsEnabled": True},
        }

    def _read_versions(self) -> None:
        bucket, prefix = self._platform.zones.curated, f"{self._model.name}/runs/"
        allow(
            self.role,
            ["s3:ListBucket"],
            [bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"{prefix}*"]}},
        )
        allow(
            self.role,
            ["s3:GetObject"],
            [bucket.arn_for_objects(f"{prefix}*")],
            why="A version is any number of files; the prefix bounds them to this model's.",
        )
        allow(self.role, ["kms:Decrypt"], [self._platform.keys.data.key_arn])
        allow(self.role, ["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"], self._catalogue())

    def _judge(self) -> None:
        partition = cdk.Stack.of(self).partition
        allow(
            self.role,
            ["s3:GetObject"],
            [f"arn:{partition}:s3:::aws-glue-ml-data-quality-assets-{self._platform.region}/*"],
            why="AWS's own bucket of the evaluation's code, whose files AWS names.",
        )
        allow(self.role, ["glue:GetDataQualityRuleset", "glue:PublishDataQuality"], [self.ruleset_arn])
        allow(self.role, ["glue:GetDataQualityRulesetEvaluationRun"], [self._all_rulesets], why=RUNS)
        allow(
            self.role,
            ["cloudwatch:PutMetricData"],
            ["*"],
            why="PutMetricData knows no resource; the condition holds it to Glue's namespace of quality.",
            conditions={"StringEquals": {"cloudwatch:namespace": "Glue Data Quality"}},
        )
        logs = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws-glue/*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        allow(
            self.role,
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            [logs],
            why="Glue makes up the rest of the name.",
        )

    def _catalogue(self) -> list[str]:
        database, table = self._table["DatabaseName"], self._table["TableName"]
        return [
            cdk.Stack.of(self).format_arn(service="glue", resource="catalog"),
            self._arn("database", database),
            self._arn("table", f"{database}/{table}"),
        ]

    def _arn(self, resource: str, name: str) -> str:
        return cdk.Stack.of(self).format_arn(service="glue", resource=resource, resource_name=name)
