"""The bank's own database: embedded, and known to the deployed platform through its connection and its secret."""

import json
import secrets
from pathlib import Path
from typing import Any

import pandas as pd

from cli.stacks import Platform
from embedded.source.database import EmbeddedDatabase

USER = "core_reader"
KEPT = ("ConnectionType", "PhysicalConnectionRequirements", "Description")


def new_database(folder: Path) -> tuple[EmbeddedDatabase, str]:
    """An empty database in a folder, and the password of its user."""
    password = secrets.token_urlsafe(18)
    return EmbeddedDatabase(folder, user=USER, password=password), password


def point_platform_at(platform: Platform, database: EmbeddedDatabase, password: str) -> None:
    """What a data engineer does for a new source: put the user into the secret and the address into the connection."""
    platform.client("secretsmanager").put_secret_value(
        SecretId=platform.output("ingestion", "SourceSecretArn"),
        SecretString=json.dumps({"username": USER, "password": password}),
    )
    glue, name = platform.client("glue"), platform.output("ingestion", "ConnectionName")
    known = glue.get_connection(Name=name)["Connection"]
    properties = {
        **known["ConnectionProperties"],
        "JDBC_CONNECTION_URL": database.jdbc_url,
        "JDBC_DRIVER_CLASS_NAME": database.driver,
    }
    kept = {
        key: known[key] for key in ("ConnectionType", "PhysicalConnectionRequirements", "Description") if key in known
    }
    glue.update_connection(Name=name, ConnectionInput={**kept, "Name": name, "ConnectionProperties": properties})


def write(database: EmbeddedDatabase, model_json: dict[str, Any], rows: pd.DataFrame, *, append: bool = False) -> int:
    """Write rows into the source table; returns how many it holds then."""
    table = model_json["source"]["table"]
    database.write(table, rows, mode="append" if append else "overwrite")
    return database.count(table)
