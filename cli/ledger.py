"""What the reconcile workflow wrote down about an endpoint: what was proven to serve, and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.stacks import Platform


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the history. `kind` is served, withdrawn, quarantined or failed."""

    kind: str
    at: datetime
    reason: str
    package_arn: str
    config_name: str
    approver: str
    execution: str


def history(platform: Platform, endpoint: str) -> list[Entry]:
    """Every line about an endpoint, oldest first."""
    pages = (
        platform.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=platform.output("approval", "LedgerTableName"),
            KeyConditionExpression="#endpoint = :endpoint AND begins_with(#item, :kind)",
            ExpressionAttributeNames={"#endpoint": "endpoint", "#item": "item"},
            ExpressionAttributeValues={":endpoint": {"S": endpoint}, ":kind": {"S": "history#"}},
        )
    )
    return sorted((_entry(item) for page in pages for item in page["Items"]), key=lambda entry: entry.at)


def served_at(platform: Platform, endpoint: str, moment: datetime) -> Entry | None:
    """What was proven to serve last before a moment; None when nothing was."""
    before = [
        entry for entry in history(platform, endpoint) if entry.at <= moment and entry.kind in ("served", "withdrawn")
    ]
    return before[-1] if before and before[-1].kind == "served" else None


def _entry(item: dict[str, dict[str, Any]]) -> Entry:
    facts = {name: str(next(iter(value.values()))) for name, value in item.items()}
    return Entry(
        kind=facts["kind"],
        at=datetime.fromisoformat(facts["at"]),
        **{name: facts.get(name, "") for name in ("reason", "package_arn", "config_name", "approver", "execution")},
    )
