"""Where a source that is no relational database answers: as the environment declares it, and a login from a secret."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pipeline_scripts.etl.connection import find_login
from pipeline_scripts.etl.errors import EtlError

DOCUMENT_ENGINES = ("mongodb", "documentdb")
# What `--place` may say of each engine; the first ones it must.
KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mongodb": (("host", "port", "database"), ("tls", "ca_file")),
    "documentdb": (("host", "port", "database"), ("tls", "ca_file")),
    "redis": (("host", "port"), ("database", "tls")),
    "dynamodb": ((), ("role", "region", "endpoint_url")),
    "s3": (("bucket",), ("role", "key", "region", "endpoint_url")),
}
KINDS = {"port": int, "tls": bool}


@dataclass(frozen=True, kw_only=True)
class DocumentPlace:
    """A MongoDB or DocumentDB server. `certificates` are those it is trusted by, as PEM; None for the system's."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    tls: bool = True
    certificates: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class RedisPlace:
    """A Redis server and the number of its database."""

    host: str
    port: int
    database: int
    user: str
    password: str = field(repr=False)
    tls: bool = True


@dataclass(frozen=True, kw_only=True)
class DynamoPlace:
    """The tables of an account: the job's own, or the one that `role_arn` opens."""

    role_arn: str | None = None
    region: str | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class FilesPlace:
    """A bucket of the job's own account, or of the one that `role_arn` opens."""

    bucket: str
    role_arn: str | None = None
    region: str | None = None
    endpoint_url: str | None = None


Place: TypeAlias = DocumentPlace | RedisPlace | DynamoPlace | FilesPlace


def find_place(*, engine: str, place_json: str, secret_arn: str | None, secrets: Any) -> Place:
    """Read the job's `--engine` and `--place`, and the login behind `--secret_arn` where the engine asks for one.

    A place without a `region` or an `endpoint_url` is that of the driver, because executors know neither.

    Raises:
        EtlError: The engine is unknown, the place says too little or something unknown, or the login is incomplete.
    """
    content = _content(engine, place_json)
    if engine == "dynamodb":
        return DynamoPlace(role_arn=content.get("role"), **_aws(content, "DYNAMODB"))
    if engine == "s3":
        return FilesPlace(bucket=content["bucket"], role_arn=content.get("role"), **_aws(content, "S3"))
    if not secret_arn:
        raise EtlError(
            f"arguments: --secret_arn is missing, and {engine} asks for a login; add it to the job's arguments"
        )
    user, password = find_login(secret_arn=secret_arn, secrets=secrets)
    where = {"host": content["host"], "port": content["port"], "user": user, "password": password}
    tls = content.get("tls", True)
    if engine == "redis":
        return RedisPlace(**where, database=content.get("database", 0), tls=tls)
    certificates = _certificates(content.get("ca_file"))
    return DocumentPlace(**where, database=content["database"], tls=tls, certificates=certificates)


def _content(engine: str, place_json: str) -> dict[str, Any]:
    if engine not in KEYS:
        raise EtlError(f"arguments: --engine {engine} is unknown here; choose one of {', '.join(KEYS)}")
    try:
        content = json.loads(place_json)
    except json.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise EtlError("arguments: --place must be a JSON object; mend the job's arguments")
    content = {name: value for name, value in content.items() if value is not None and name != "engine"}
    needed, allowed = KEYS[engine]
    for name in needed:
        if name not in content:
            raise EtlError(f"arguments: --place says no {name}, which {engine} needs; add it to the connection")
    for name, value in content.items():
        if name not in (*needed, *allowed):
            raise EtlError(f"arguments: --place says {name}, which {engine} has not; remove it from the connection")
        kind = int if (engine, name) == ("redis", "database") else KINDS.get(name, str)
        if type(value) is not kind:
            raise EtlError(f"arguments: --place: {name} must be of type {kind.__name__}; mend the connection")
    return content


def _aws(content: Mapping[str, Any], service: str) -> dict[str, str | None]:
    """The region and the endpoint that the driver would use itself."""
    environment = os.environ
    endpoint = environment.get(f"AWS_ENDPOINT_URL_{service}") or environment.get("AWS_ENDPOINT_URL")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    return {
        "region": content.get("region") or region or None,
        "endpoint_url": content.get("endpoint_url") or endpoint or None,
    }


def _certificates(file: str | None) -> str | None:
    """The text of a file that travels with the job, so that executors need not have it."""
    if file is None:
        return None
    try:
        return Path(file).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise EtlError(f"arguments: --place: ca_file {file} is no readable PEM; ship it with --extra-files") from None
