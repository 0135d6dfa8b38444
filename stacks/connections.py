"""The company's sources, as an environment's file names them: where they answer, never a password."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from baton.specification.base import Specification
from baton.specification.source import LAST_MODIFIED, Source

Port = Annotated[int, Field(ge=1, le=65535)]
# No character that a URL, an IAM pattern or a JSON text could read as something else than a name.
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]
DatabaseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_$.-]{1,128}$")]
ProjectFile = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_./-]*\.pem$")]
BucketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[A-Za-z0-9_+=,.@/-]+$")]
KeyArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-z0-9-]+$")]
# Whole, with the six characters that Secrets Manager adds: without them IAM would have to match a pattern.
SecretArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$"),
]


def account_of(arn: str) -> str:
    """The account that owns what an ARN names."""
    return arn.split(":")[4]


def region_of(arn: str) -> str:
    """The region in which lies what an ARN names."""
    return arn.split(":")[3]


class _Connection(Specification):
    """A source of any kind, and what a model may ask of it."""

    reads_queries: ClassVar[bool] = False
    reads_files: ClassVar[bool] = False
    table_form: ClassVar[str] = r"\S(.*\S)?"
    table_is: ClassVar[str] = "a name"

    engine: str

    def misfit(self, source: Source) -> str | None:
        """What of `source` this kind of connection cannot do, as `key: why and what to do`; None where it fits."""
        if source.query is not None and not self.reads_queries:
            return f"query: {self.engine} answers no SQL; give a table"
        if source.table is not None and not re.fullmatch(self.table_form, source.table):
            return f"table: for {self.engine} it is {self.table_is}, got {source.table!r}"
        if self.reads_files and source.format is None:
            return f"format: {self.engine} holds files; say csv, json or parquet"
        if not self.reads_files and source.format is not None:
            return f"format: {self.engine} holds no files; remove it"
        if self.reads_files and source.watermark not in (None, LAST_MODIFIED):
            return f"watermark: files are told apart by {LAST_MODIFIED} alone"
        return None


class _ServerConnection(_Connection):
    """A server in the company's network; its login lies in a secret of the platform's or in `secret`, the company's."""

    host: Host
    port: Port
    secret: SecretArn | None = None


class _ResourceConnection(_Connection):
    """What IAM alone opens: of this account under `key` if it has one, or of another account through `role`."""

    port: ClassVar[None] = None

    role: RoleArn | None = None
    key: KeyArn | None = None

    @model_validator(mode="after")
    def _asks_one_account(self) -> "_ResourceConnection":
        if self.role is not None and self.key is not None:
            raise ValueError("with a role it is that role which needs the key; remove key, and give the role its use")
        return self


class RelationalConnection(_ServerConnection):
    """A relational database; `certificate_authority` is a PEM file of the project that PostgreSQL is verified by."""

    reads_queries: ClassVar[bool] = True

    engine: Literal["postgresql", "mysql", "mariadb", "sqlserver", "oracle"]
    database: DatabaseName
    certificate_authority: ProjectFile | None = None

    @model_validator(mode="after")
    def _can_be_verified(self) -> "RelationalConnection":
        if self.certificate_authority is not None and self.engine != "postgresql":
            raise ValueError(
                "certificate_authority: of the relational engines' drivers only PostgreSQL's takes one along; remove it"
            )
        return self


class DocumentConnection(_ServerConnection):
    """MongoDB, or DocumentDB; `certificate_authority` is a PEM file of the project that it is verified by."""

    table_form: ClassVar[str] = r"(?!system\.)[A-Za-z_][^$\0]{0,119}"
    table_is: ClassVar[str] = "a collection's name: it begins with a letter or _, and holds no $"

    engine: Literal["mongodb", "documentdb"]
    port: Port = 27017
    database: DatabaseName
    certificate_authority: ProjectFile | None = None


class RedisConnection(_ServerConnection):
    """Redis, whose hashes are rows."""

    table_is: ClassVar[str] = "a pattern of keys, such as customer:*"

    engine: Literal["redis"]
    port: Port = 6379
    database: Annotated[int, Field(ge=0, le=15)] = 0


class DynamoDbConnection(_ResourceConnection):
    """Tables of DynamoDB."""

    table_form: ClassVar[str] = r"[A-Za-z0-9_.-]{3,255}"
    table_is: ClassVar[str] = "a table's name: 3 to 255 letters, digits, _, - and ."

    engine: Literal["dynamodb"]


class FileConnection(_ResourceConnection):
    """Files in a bucket."""

    reads_files: ClassVar[bool] = True
    # What IAM would read as a pattern or a variable is left out, or a prefix could open more than itself.
    table_form: ClassVar[str] = r"(?!s3:)[A-Za-z0-9!_.'()=:@+,-][A-Za-z0-9!_.'()=:@+, /-]*"
    table_is: ClassVar[str] = "a prefix in the bucket, such as exports/customers: no slash before it, no * ? or $ in it"

    engine: Literal["s3"]
    bucket: BucketName


Connection = Annotated[
    RelationalConnection | DocumentConnection | RedisConnection | DynamoDbConnection | FileConnection,
    Field(discriminator="engine"),
]
