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
    """A Glue database with two tables for each model's curated columns: what is published now, and what ever was.

    `<model>` reads a list of the current version's files, which the ETL job writes to `<model>/current/`, and not the
    folder of all runs: that one would count every version's rows.

    `<model>_versions` reads the version that a query names, `WHERE run_id = '...'`, and refuses a query that names
    none. Its partitions are projected from that name, so nothing has to be told of a new version.

    Args:
        database_name: Its name in Glue, where names are the only identity.
        curated: The curated zone.
        models: The models to give a table.

    See:
        https://docs.aws.amazon.com/athena/latest/ug/parquet-serde.html
        https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
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
            for construct_id, table_input in (
                (model.construct_id, _current(model, curated)),
                (f"{model.construct_id}Versions", _versions(model, curated)),
            ):
                table = glue.CfnTable(
                    self, construct_id, catalog_id=account, database_name=database_name, table_input=table_input
                )
                table.add_resource_dependency(database)


def _current(model: ModelSpecification, curated: s3.IBucket) -> glue.CfnTable.TableInputProperty:
    return glue.CfnTable.TableInputProperty(
        name=model.name,
        description=model.title,
        table_type="EXTERNAL_TABLE",
        parameters={"EXTERNAL": "TRUE", "classification": "parquet"},
        storage_descriptor=_storage(
            model,
            location=curated.s3_url_for_object(f"{model.name}/current/"),
            input_format="org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        ),
    )


def _versions(model: ModelSpecification, curated: s3.IBucket) -> glue.CfnTable.TableInputProperty:
    runs = curated.s3_url_for_object(f"{model.name}/runs/")
    return glue.CfnTable.TableInputProperty(
        name=f"{model.name}_versions",
        description=f"{model.title}: every published version, one at a time, by its run_id",
        table_type="EXTERNAL_TABLE",
        parameters={
            "EXTERNAL": "TRUE",
            "classification": "parquet",
            "projection.enabled": "true",
            "projection.run_id.type": "injected",
            "storage.location.template": f"{runs}${{run_id}}/",
        },
        partition_keys=[glue.CfnTable.ColumnProperty(name="run_id", type="string")],
        storage_descriptor=_storage(
            model,
            location=runs,
            input_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        ),
    )


def _storage(
    model: ModelSpecification, *, location: str, input_format: str, output_format: str
) -> glue.CfnTable.StorageDescriptorProperty:
    return glue.CfnTable.StorageDescriptorProperty(
        columns=[
            glue.CfnTable.ColumnProperty(name=name.lower(), type=HIVE_TYPES[column.curated_type])
            for name, column in model.outputs.items()
        ],
        location=location,
        input_format=input_format,
        output_format=output_format,
        serde_info=glue.CfnTable.SerdeInfoProperty(
            serialization_library="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
        ),
    )
