"""The catalogue: the curated zone as tables."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from baton.specification.model import ModelSpecification

HIVE_TYPES = {
    "integer": "bigint",
    "double": "double",
    "string": "string",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}


class Catalog(Construct):
    """A Glue database with one table for each model's curated columns.

    A table reads a list of the current version's files, which the ETL job writes to `<model>/current/`, and not the
    folder of all runs: that one would count every version's rows, and mistake the manifests between them for data.

    Args:
        database_name: Its name in Glue, where names are the only identity.
        curated: The curated zone.
        models: The models to give a table.

    See:
        https://docs.aws.amazon.com/athena/latest/ug/parquet-serde.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        database_name: str,
        curated: s3.IBucket,
        models: Sequence[ModelSpecification],
    ) -> None:
        super().__init__(scope, construct_id)
        self.database_name = database_name
        account = cdk.Stack.of(self).account
        database = glue.CfnDatabase(
            self,
            "Resource",
            catalog_id=account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=database_name, description="Baton: the curated zone, without personal data"
            ),
        )
        for model in models:
            table = glue.CfnTable(
                self,
                model.construct_id,
                catalog_id=account,
                database_name=database_name,
                table_input=_table(model, curated),
            )
            table.add_resource_dependency(database)


def _table(model: ModelSpecification, curated: s3.IBucket) -> glue.CfnTable.TableInputProperty:
    return glue.CfnTable.TableInputProperty(
        name=model.name,
        description=model.title,
        table_type="EXTERNAL_TABLE",
        parameters={"EXTERNAL": "TRUE", "classification": "parquet"},
        storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
            columns=[
                glue.CfnTable.ColumnProperty(name=name.lower(), type=HIVE_TYPES[column.curated_type])
                for name, column in model.outputs.items()
            ],
            location=curated.s3_url_for_object(f"{model.name}/current/"),
            input_format="org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            serde_info=glue.CfnTable.SerdeInfoProperty(
                serialization_library="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
            ),
        ),
    )
