"""The way to a document database or a key-value store."""

from pathlib import Path
from typing import Literal

from constructs import Construct

from baton.etl.certificate_authority import CertificateAuthority
from baton.etl.source_access import SourceAccess
from baton.etl.source_login import SourceLogin
from baton.foundation.network import PrivateNetwork


class ServerAccess(SourceAccess):
    """MongoDB, DocumentDB or Redis: a server in the company's network that the workers log in to themselves, over TLS.

    Args:
        engine: The server's kind.
        host: Its name in the company's network.
        port: The TCP port it listens on.
        database: The database there; for Redis, its number.
        network: The network the workers run in.
        login: Where its login lies.
        certificate_authority: The file with the certificates that the server's must be signed by; without it, one of
            the authorities that the workers' own system trusts.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        engine: Literal["mongodb", "documentdb", "redis"],
        host: str,
        port: int,
        database: str | int,
        network: PrivateNetwork,
        login: SourceLogin,
        certificate_authority: Path | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            engine=engine,
            place={"host": host, "port": port, "database": database},
            network=network,
            login=login,
        )
        if certificate_authority is not None:
            self._authority = CertificateAuthority(
                self, "CertificateAuthority", pem=certificate_authority, reader="python"
            )
            self._place["ca_file"] = self._authority.file_name
