"""The ledger of ingestions: what every run did, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.stacks import Platform


@dataclass(frozen=True, kw_only=True)
class Ingestion:
    """One line of the ledger. `outcome` is running, succeeded, skipped, failed or lost; None is not known."""

    began: datetime
    cause: str
    mode: str
    outcome: str
    reason: str
    training: str
    run_id: str
    rows: int | None
    rejected: int | None
    changed: bool | None
    minutes: float | None


def history(platform: Platform, *, limit: int = 20) -> list[Ingestion]:
    """The newest lines, newest first."""
    pages = (
        platform.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=platform.output("automation", "IngestionLedgerTableName"),
            KeyConditionExpression="#model = :model AND begins_with(#entry, :kind)",
            ExpressionAttributeNames={"#model": "model", "#entry": "entry"},
            ExpressionAttributeValues={":model": {"S": platform.model}, ":kind": {"S": "run#"}},
            ScanIndexForward=False,
            PaginationConfig={"MaxItems": limit},
        )
    )
    return [_line(item) for page in pages for item in page["Items"]]


def _line(item: dict[str, dict[str, Any]]) -> Ingestion:
    facts = {name: next(iter(value.values())) for name, value in item.items()}
    began = facts["entry"].split("#")[1]
    return Ingestion(
        began=datetime.fromisoformat(began.replace("Z", "+00:00")),
        rows=int(facts["rows"]) if "rows" in facts else None,
        rejected=int(facts["rejected"]) if "rejected" in facts else None,
        changed=facts.get("changed"),
        minutes=float(facts["minutes"]) if "minutes" in facts else None,
        **{name: str(facts.get(name, "")) for name in ("cause", "mode", "outcome", "reason", "training", "run_id")},
    )
