"""How to reach the source: the Glue connection says where, the secrets say with which password and which hash key."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from pipeline_scripts.etl.errors import EtlError

# The drivers that Glue 5 ships. Any other is named by the connection's JDBC_DRIVER_CLASS_NAME.
DRIVERS = {
    "postgresql": "org.postgresql.Driver",
    "mysql": "com.mysql.cj.jdbc.Driver",
    "sqlserver": "com.microsoft.sqlserver.jdbc.SQLServerDriver",
    "oracle": "oracle.jdbc.OracleDriver",
}
# Without it MySQL's driver takes the whole table into memory, whatever the fetch size.
ENGINE_OPTIONS = {"mysql": {"useCursorFetch": "true"}}
KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class JdbcConnection:
    """Everything Spark's JDBC reader needs to log in; its repr holds no secret."""

    url: str
    driver: str
    user: str
    password: str = field(repr=False)
    engine_options: dict[str, str] = field(default_factory=dict)

    def options(self) -> dict[str, str]:
        """As options of `spark.read.format("jdbc")`."""
        credentials = {"url": self.url, "driver": self.driver, "user": self.user, "password": self.password}
        return credentials | self.engine_options


def find_connection(*, name: str, secret_arn: str, glue: Any, secrets: Any) -> JdbcConnection:
    """Read the Glue connection `name` and its credentials.

    Raises:
        EtlError: The connection has no JDBC URL, its engine has no known driver, or the secret is incomplete.
    """
    properties = glue.get_connection(Name=name, HidePassword=True)["Connection"]["ConnectionProperties"]
    url = properties.get("JDBC_CONNECTION_URL", "")
    match = re.match(r"jdbc:([a-z0-9]+):", url)
    if match is None:
        raise EtlError(f"connection {name}: JDBC_CONNECTION_URL must begin with jdbc:<engine>:; mend the connection")
    driver = properties.get("JDBC_DRIVER_CLASS_NAME") or DRIVERS.get(match[1])
    if driver is None:
        raise EtlError(f"connection {name}: no driver is known for {match[1]}; set JDBC_DRIVER_CLASS_NAME on it")
    user, password = find_login(secret_arn=secret_arn, secrets=secrets)
    return JdbcConnection(
        url=url,
        driver=driver,
        user=user,
        password=password,
        engine_options=ENGINE_OPTIONS.get(match[1], {}),
    )


def find_login(*, secret_arn: str, secrets: Any) -> tuple[str, str]:
    """The user name and the password in a secret.

    Raises:
        EtlError: It holds no such pair.
    """
    credentials = _secret(secret_arn, secrets, wanted=("username", "password"))
    return credentials["username"], credentials["password"]


def find_hash_key(*, secret_arn: str, secrets: Any) -> bytes:
    """Read the key of the keyed hashes.

    Raises:
        EtlError: It is not hex, or too short to be worth the name.
    """
    mend = f"put at least {2 * KEY_BYTES} hex digits there"
    try:
        key = bytes.fromhex(_secret(secret_arn, secrets, wanted=("key",))["key"])
    except ValueError:
        raise EtlError(f"secret {secret_arn}: key is not hex; {mend}") from None  # the cause would quote the key
    if len(key) < KEY_BYTES:
        raise EtlError(f"secret {secret_arn}: key has {len(key)} bytes; {mend}")
    return key


def _secret(arn: str, secrets: Any, *, wanted: tuple[str, ...]) -> dict[str, str]:
    try:
        content = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    except json.JSONDecodeError:
        content = None
    if not isinstance(content, dict) or not all(isinstance(content.get(name), str) for name in wanted):
        raise EtlError(f"secret {arn}: must be a JSON object with {' and '.join(wanted)} as text") from None
    return content
