"""A company's database, as Glue reaches it."""

from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True, kw_only=True)
class JdbcSource:
    """Where a database answers. Its user and password lie in Secrets Manager."""

    engine: Literal["postgresql", "mysql", "mariadb", "sqlserver", "oracle"]
    host: str
    port: int
    database: str

    @property
    def url(self) -> str:
        """The JDBC URL, which refuses an unencrypted connection."""
        return URLS[self.engine].format(host=self.host, port=self.port, database=self.database)
