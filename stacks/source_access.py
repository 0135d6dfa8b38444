"""Which construct leads to which kind of source."""

from constructs import Construct

from baton.etl.dynamodb_access import DynamoDbAccess
from baton.etl.file_access import FileAccess
from baton.etl.jdbc_access import JdbcAccess
from baton.etl.server_access import ServerAccess
from baton.etl.source_access import SourceAccess
from baton.etl.source_login import SourceLogin
from baton.platform import Platform
from baton.specification.source import Source
from stacks.connections import Connection, DynamoDbConnection, FileConnection, RelationalConnection


def source_access(scope: Construct, *, connection: Connection, source: Source, platform: Platform) -> SourceAccess:
    """The way through `connection` to what `source` asks for.

    Raises:
        ValueError: The source asks for what that kind of connection cannot do.
    """
    misfit = connection.misfit(source)
    if misfit is not None:
        raise ValueError(f"source.{misfit}")
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
    login = SourceLogin(key=platform.keys.vault, removal_policy=platform.removal_policy, secret_arn=connection.secret)
    host, port = connection.host, connection.port
    if isinstance(connection, RelationalConnection):
        return JdbcAccess(
            scope,
            "Source",
            engine=connection.engine,
            host=host,
            port=port,
            database=connection.database,
            network=network,
            login=login,
        )
    return ServerAccess(
        scope,
        "Source",
        engine=connection.engine,
        host=host,
        port=port,
        database=connection.database,
        network=network,
        login=login,
    )
