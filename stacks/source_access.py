"""Which construct leads to which kind of source."""

from pathlib import Path

from constructs import Construct

from baton.etl.dynamodb_access import DynamoDbAccess
from baton.etl.file_access import FileAccess
from baton.etl.jdbc_access import JdbcAccess
from baton.etl.server import Server
from baton.etl.server_access import ServerAccess
from baton.etl.source_access import SourceAccess
from baton.etl.source_login import SourceLogin
from baton.platform import Platform
from baton.specification.source import Source
from stacks.connections import (
    Connection,
    DynamoDbConnection,
    FileConnection,
    RedisConnection,
    RelationalConnection,
)
from stacks.settings import ConfigurationError


def source_access(scope: Construct, *, connection: Connection, source: Source, platform: Platform) -> SourceAccess:
    """The way through `connection` to what `source` asks for.

    Raises:
        ConfigurationError: The source asks for what that kind of connection cannot do, or its certificate is none.
    """
    misfit = connection.misfit(source)
    if misfit is not None:
        raise ConfigurationError(f"source.{misfit}")
    network, table = platform.network, source.table or ""
    if isinstance(connection, DynamoDbConnection):
        return DynamoDbAccess(
            scope,
            "Source",
            table_name=table,
            network=network,
            role_arn=connection.role,
            key_arn=connection.key,
        )
    if isinstance(connection, FileConnection):
        return FileAccess(
            scope,
            "Source",
            bucket_name=connection.bucket,
            prefix=table,
            network=network,
            role_arn=connection.role,
            key_arn=connection.key,
        )
    authority = None
    if not isinstance(connection, RedisConnection) and connection.certificate_authority is not None:
        authority = certificate_file(platform.source / connection.certificate_authority, connection.engine)
    server = Server(
        host=connection.host,
        port=connection.port,
        database=connection.database,
        login=SourceLogin(
            key=platform.keys.vault, removal_policy=platform.removal_policy, secret_arn=connection.secret
        ),
        certificate_authority=authority,
    )
    if isinstance(connection, RelationalConnection):
        return JdbcAccess(scope, "Source", engine=connection.engine, server=server, network=network)
    return ServerAccess(scope, "Source", engine=connection.engine, server=server, network=network)


def certificate_file(path: Path, engine: str) -> Path:
    """`path`, once it is seen to hold certificates, and for PostgreSQL's driver, which reads no second one, just one.

    Raises:
        ConfigurationError: It does not.
    """
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no such certificate_authority; add the file, or mend its name")
    text = path.read_text(encoding="ascii", errors="replace")
    found = text.count("-----BEGIN CERTIFICATE-----")
    if not found or "PRIVATE KEY" in text:
        raise ConfigurationError(f"{path}: a certificate_authority is certificates as PEM, and no private key")
    if engine == "postgresql" and found > 1:
        raise ConfigurationError(f"{path}: PostgreSQL's driver reads one certificate, not {found}; keep the root")
    return path
