"""The way to a document database or a key-value store."""

from typing import Literal

from constructs import Construct

from baton.etl.certificate_authority import CertificateAuthority
from baton.etl.server import Server
from baton.etl.source_access import SourceAccess
from baton.foundation.network import PrivateNetwork


class ServerAccess(SourceAccess):
    """MongoDB, DocumentDB or Redis: a server in the company's network that the workers log in to themselves, over TLS.

    Without an authority of its own, the server's certificate must be signed by one that the workers' system trusts.

    Args:
        engine: The server's kind.
        server: The server.
        network: The network the workers run in.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        engine: Literal["mongodb", "documentdb", "redis"],
        server: Server,
        network: PrivateNetwork,
    ) -> None:
        super().__init__(scope, construct_id, engine=engine, place=server.place, network=network, login=server.login)
        if server.certificate_authority is not None:
            self._authority = CertificateAuthority(
                self, "CertificateAuthority", pem=server.certificate_authority, reader="python"
            )
            self._place["ca_file"] = self._authority.file_name
