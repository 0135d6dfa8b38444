"""Which version a person wants to serve: what the ledger says of it, and how it is changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cli.functions import invoke
from cli.stacks import Platform

Action = Literal["pin", "unpin", "rollback"]


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A version that comes before any other as long as it may serve, and who wanted that."""

    version: int
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What is pinned now, None when nothing is, and the execution of the reconcile workflow that follows it."""

    pinned: int | None
    execution: str


def pinned(platform: Platform, endpoint: str) -> Pin | None:
    """The pin of an endpoint; None while the rule alone decides."""
    found = platform.client("dynamodb").get_item(
        TableName=platform.output("approval", "LedgerTableName"),
        Key={"endpoint": {"S": endpoint}, "item": {"S": "pin"}},
        ConsistentRead=True,
    )
    if "Item" not in found:
        return None
    item = {name: value["S"] for name, value in found["Item"].items()}
    return Pin(
        version=int(item["version"]), by=item["by"], at=datetime.fromisoformat(item["at"]), reason=item["reason"]
    )


def change(platform: Platform, action: Action, *, reason: str, version: int | None = None) -> Changed:
    """Pin a version, go back to the last good one, or unpin.

    Raises:
        BatonError: The version may not serve, or there is none to go back to.
    """
    event = {"action": action, "by": platform.caller(), "reason": reason}
    if version is not None:
        event["version"] = str(version)
    answer = invoke(platform, platform.output("approval", "PinFunctionName"), event)
    number = answer["pinned"]
    return Changed(pinned=None if number is None else int(number), execution=str(answer["execution"]))
