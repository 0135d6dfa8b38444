"""A server in the company's network, and how one proves oneself to it and it to us."""

from dataclasses import dataclass
from pathlib import Path

from baton.etl.source_login import SourceLogin


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a database listens, and the login.

    Args:
        host: Its name in the company's network.
        port: The TCP port it listens on.
        database: The database there; for Oracle the service, for Redis a number.
        login: Where its login lies.
        certificate_authority: The file with the certificates that the server's must be signed by.
    """

    host: str
    port: int
    database: str | int
    login: SourceLogin
    certificate_authority: Path | None = None

    @property
    def place(self) -> dict[str, str | int]:
        """The address, by the keys of the configuration."""
        return {"host": self.host, "port": self.port, "database": self.database}
