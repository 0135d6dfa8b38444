"""The company's sources, as an environment's file names them: where they answer, never a password."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from baton.specification.base import Specification
from baton.specification.source import LAST_MODIFIED, Source

Port = Annotated[int, Field(ge=1, le=65535)]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]
SecretArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+$")]
BucketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class _Connection(Specification):
    """A source of any kind, and what a model may ask of it."""

    reads_queries: ClassVar[bool] = False
    reads_files: ClassVar[bool] = False

    engine: str

    def misfit(self, source: Source) -> str | None:
        """What of `source` this kind of connection cannot do, as `key: why and what to do`; None where it fits."""
        if source.query is not None and not self.reads_queries:
            return f"query: {self.engine} answers no SQL; give a table"
        if self.reads_files and source.format is None:
            return f"format: {self.engine} holds files; say csv, json or parquet"
        if not self.reads_files and source.format is not None:
            return f"format: {self.engine} holds no files; remove it"
        if self.reads_files and source.watermark not in (None, LAST_MODIFIED):
            return f"watermark: files are told apart by {LAST_MODIFIED} alone"
        return None


class RelationalConnection(_Connection):
    """A relational database. Its login lies in a secret of the platform's, or in `secret`, which the company owns."""

    reads_queries: ClassVar[bool] = True

    engine: Literal["postgresql", "mysql", "mariadb", "sqlserver", "oracle"]
    host: str
    port: Port
    database: str
    secret: SecretArn | None = None


class DocumentConnection(_Connection):
    """MongoDB, or DocumentDB; its login lies in a secret, as a relational database's does."""

    engine: Literal["mongodb", "documentdb"]
    host: str
    port: Port = 27017
    database: str
    secret: SecretArn | None = None


class RedisConnection(_Connection):
    """Redis, whose hashes are rows; its login lies in a secret, as a relational database's does."""

    engine: Literal["redis"]
    host: str
    port: Port = 6379
    database: Annotated[int, Field(ge=0, le=15)] = 0
    secret: SecretArn | None = None


class DynamoDbConnection(_Connection):
    """Tables of DynamoDB in this account, or in another one through `role`."""

    engine: Literal["dynamodb"]
    port: ClassVar[None] = None
    role: RoleArn | None = None


class FileConnection(_Connection):
    """Files in a bucket of this account, or of another one through `role`; `key` is the bucket's KMS key, if any."""

    reads_files: ClassVar[bool] = True

    engine: Literal["s3"]
    port: ClassVar[None] = None
    bucket: BucketName
    role: RoleArn | None = None
    key: str | None = None


Connection = Annotated[
    RelationalConnection | DocumentConnection | RedisConnection | DynamoDbConnection | FileConnection,
    Field(discriminator="engine"),
]
