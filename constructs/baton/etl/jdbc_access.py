"""The way to a relational database."""

from typing import Literal

from constructs import Construct

from baton.etl.certificate_authority import CLASS_PATH_NAME, CertificateAuthority
from baton.etl.server import Server
from baton.etl.source_access import SourceAccess
from baton.foundation.network import PrivateNetwork

RelationalEngine = Literal["postgresql", "mysql", "mariadb", "sqlserver", "oracle"]

# Encryption is asked for in the URL itself: Spark's reader gets nothing but the URL, and JDBC_ENFORCE_SSL binds only
# Glue's own readers.
URLS = {
    "postgresql": "jdbc:postgresql://{host}:{port}/{database}?sslmode=require",
    "mysql": "jdbc:mysql://{host}:{port}/{database}?sslMode=REQUIRED",
    # Spark knows how MySQL quotes a name, and MariaDB quotes as MySQL does; of a jdbc:mariadb URL it knows nothing.
    "mariadb": "jdbc:mysql://{host}:{port}/{database}?sslMode=REQUIRED",
    "sqlserver": "jdbc:sqlserver://{host}:{port};databaseName={database};encrypt=true;trustServerCertificate=true",
    "oracle": "jdbc:oracle:thin:@tcps://{host}:{port}/{database}",
}

# PostgreSQL's driver alone takes a certificate from the class path; the others want a file on every executor's disk.
VERIFIED = {
    "postgresql": (
        "jdbc:postgresql://{host}:{port}/{database}?sslmode=verify-full"
        f"&sslfactory=org.postgresql.ssl.SingleCertValidatingFactory&sslfactoryarg=classpath:{CLASS_PATH_NAME}"
    )
}


def jdbc_url(*, engine: RelationalEngine, host: str, port: int, database: str, verified: bool = False) -> str:
    """The JDBC URL, which refuses an unencrypted connection; `verified`, also a server that is not who it says it is.

    Raises:
        KeyError: That engine's driver cannot verify by a URL alone.

    See:
        https://jdbc.postgresql.org/documentation/ssl/
    """
    return (VERIFIED if verified else URLS)[engine].format(host=host, port=port, database=database)


class JdbcAccess(SourceAccess):
    """A relational database, through a JDBC connection of Glue's that holds the URL and names the login.

    Without an authority (just one certificate, for PostgreSQL) the connection is encrypted, but nobody asks who is at
    its other end.

    Args:
        engine: The database's kind.
        server: The database.
        network: The network the workers run in.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        engine: RelationalEngine,
        server: Server,
        network: PrivateNetwork,
    ) -> None:
        url = jdbc_url(
            engine=engine,
            host=server.host,
            port=server.port,
            database=str(server.database),
            verified=server.certificate_authority is not None,
        )
        super().__init__(
            scope,
            construct_id,
            engine=engine,
            place=server.place,
            network=network,
            login=server.login,
            connection_type="JDBC",
            connection_properties={"JDBC_CONNECTION_URL": url, "JDBC_ENFORCE_SSL": "true"},
        )
        if server.certificate_authority is not None:
            self._authority = CertificateAuthority(
                self, "CertificateAuthority", pem=server.certificate_authority, reader="jdbc"
            )

    @property
    def arguments(self) -> dict[str, str]:
        """What the job is told: also which connection holds the URL."""
        return {**super().arguments, "--connection_name": self.connection_name}
