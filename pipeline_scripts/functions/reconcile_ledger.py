"""The ledger of one endpoint: who may change it now, what serves, what must not be tried again, and what happened."""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3

LEASE_SECONDS = 900
"""Longer than any gap between two steps of a run, so that only a dead run loses its lease."""


class LeaseLost(Exception):
    """Another run has taken over, so this one must not write any more."""


class Ledger:
    """One DynamoDB table, one partition per endpoint.

    Items: `lock` (owner, expiry, generation), `current` (what was proven to serve), `machines` (on what anything was
    proven last), `pin` (what a person wants), `quarantine#<version>`, `unfit#<instance type>`, and
    `history#<time>#<generation>`. The generation counts calls for attention: a run that finds the lock taken has
    already raised it, and the holder may only leave when it is still what it was before the registry was read.

    Args:
        client: A DynamoDB client.
        table: Name of the table.
        endpoint: The endpoint whose partition this is.
        clock: Seconds since the epoch.
    """

    def __init__(self, *, client: Any, table: str, endpoint: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._endpoint = endpoint
        self._clock = clock

    def acquire(self, owner: str) -> int | None:
        """Raise the generation, then take the lock; the generation to finish with, or None while another run holds it.

        The order matters: a run that is refused has raised the generation while the holder still held the lock, so the
        holder cannot miss it.
        """
        self._update("lock", "ADD generation :one", {":one": {"N": "1"}})
        now = int(self._clock())
        try:
            attributes = self._update(
                "lock",
                "SET #owner = :me, expires_at = :until",
                {":me": {"S": owner}, ":until": {"N": str(now + LEASE_SECONDS)}, ":now": {"N": str(now)}},
                condition="attribute_not_exists(#owner) OR #owner = :me OR expires_at < :now",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return int(attributes["generation"]["N"])

    def renew(self, owner: str) -> None:
        """Keep the lock for another lease.

        Raises:
            LeaseLost: It is no longer ours.
        """
        self._extend({":me": {"S": owner}}, "#owner = :me")

    def confirm(self, owner: str, generation: int) -> None:
        """Keep the lock before writing down what this run found, which is only true while no other run acts.

        A step that is repeated because its answer was lost has given the lock back already. That is no loss as long as
        nobody called since.

        Raises:
            LeaseLost: Another run has begun.
        """
        values = {":me": {"S": owner}, ":seen": {"N": str(generation)}}
        self._extend(values, "#owner = :me OR attribute_not_exists(#owner) AND generation = :seen")

    def _extend(self, values: dict[str, dict[str, str]], condition: str) -> None:
        until = {":until": {"N": str(int(self._clock()) + LEASE_SECONDS)}}
        try:
            self._update("lock", "SET expires_at = :until", {**values, **until}, condition=condition)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise LeaseLost(f"{self._endpoint}: another run has taken over; this one stops without writing") from error

    def finish(self, owner: str, generation: int) -> bool:
        """Give the lock back, unless somebody called since `generation`; then keep it and answer False."""
        try:
            self._update(
                "lock",
                "REMOVE #owner, expires_at",
                {":me": {"S": owner}, ":seen": {"N": str(generation)}},
                condition="#owner = :me AND generation = :seen",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return self._item("lock").get("owner") != owner
        return True

    def abandon(self, owner: str) -> None:
        """Give the lock back whatever has happened since; the next event or sweep starts afresh."""
        try:
            self._update("lock", "REMOVE #owner, expires_at", {":me": {"S": owner}}, condition="#owner = :me")
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def current(self) -> dict[str, str]:
        """What was last proven to serve: `package_arn`, `version`, `config_name`, …; empty if nothing does."""
        return self._item("current")

    def pin(self) -> dict[str, str]:
        """What a person pinned: `version`, `by`, `at` and `reason`; empty while the rule alone decides."""
        return self._item("pin")

    def quarantined(self) -> set[str]:
        """The package ARNs that failed and must not be tried until a person lifts their quarantine."""
        return {entry["package_arn"] for entry in self._all("quarantine#")}

    def unfit(self) -> dict[str, str]:
        """The instance types to which a proven version could not move, each with the one that it was proven on."""
        return {entry["instance_type"]: entry["previous_type"] for entry in self._all("unfit#")}

    def proven_machines(self) -> str:
        """The instance type that a version was last proven on; empty while none was."""
        return self._item("machines").get("instance_type", "")

    def history(self) -> list[dict[str, str]]:
        """Every line of the history, oldest first."""
        return self._all("history#")

    def serve(self, entry: Mapping[str, str]) -> None:
        """Note what has been proven to serve, and on which machines."""
        self._put("current", entry)
        if entry.get("instance_type"):
            self._put("machines", {"instance_type": entry["instance_type"]})

    def withdraw(self) -> None:
        """Note that nothing serves."""
        self._delete("current")

    def quarantine(self, version: str, entry: Mapping[str, str]) -> None:
        """Keep a version from being tried again; `entry` says why. If it was the current one, nothing is proven now.

        A version that fails is no witness against the machines that were refused for it.
        """
        self._put(f"quarantine#{version}", entry)
        if self.current().get("package_arn") == entry["package_arn"]:
            self.withdraw()
        for refused in self._all("unfit#"):
            if refused["package_arn"] == entry["package_arn"]:
                self._delete(refused["item"])

    def refuse_machines(self, entry: Mapping[str, str]) -> None:
        """Keep an instance type from being tried again until a person lifts this."""
        self._put(f"unfit#{entry['instance_type']}", entry)

    def keep(self, moment: str) -> None:
        """Note that what serves is kept although it is no longer approved, so that this is told once."""
        self._update("current", "SET kept = :at", {":at": {"S": moment}})

    def set_pin(self, entry: Mapping[str, str]) -> None:
        """Let a version come before any other, as long as it may serve."""
        self._put("pin", entry)

    def unpin(self) -> None:
        """Let the rule decide again."""
        self._delete("pin")

    def remember(self, moment: str, generation: int, entry: Mapping[str, str]) -> None:
        """Add a line to the history."""
        self._put(f"history#{moment}#{generation}", entry)

    def _key(self, item: str) -> dict[str, dict[str, str]]:
        return {"endpoint": {"S": self._endpoint}, "item": {"S": item}}

    def _item(self, item: str) -> dict[str, str]:
        answer = self._client.get_item(TableName=self._table, Key=self._key(item), ConsistentRead=True)
        return _plain(answer.get("Item", {}))

    def _all(self, kind: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "#endpoint = :endpoint AND begins_with(#item, :kind)",
            "ExpressionAttributeNames": {"#endpoint": "endpoint", "#item": "item"},
            "ExpressionAttributeValues": {":endpoint": {"S": self._endpoint}, ":kind": {"S": kind}},
        }
        while True:
            page = self._client.query(**arguments)
            found += [_plain(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _put(self, item: str, entry: Mapping[str, str]) -> None:
        values = {name: {"S": value} for name, value in entry.items()}
        self._client.put_item(TableName=self._table, Item={**self._key(item), **values})

    def _delete(self, item: str) -> None:
        self._client.delete_item(TableName=self._table, Key=self._key(item))

    def _update(
        self, item: str, expression: str, values: dict[str, dict[str, str]], *, condition: str | None = None
    ) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "Key": self._key(item),
            "UpdateExpression": expression,
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_NEW",
        }
        if condition:
            arguments["ConditionExpression"] = condition
        if "#owner" in expression + (condition or ""):
            arguments["ExpressionAttributeNames"] = {"#owner": "owner"}  # a reserved word of DynamoDB's
        updated: dict[str, Any] = self._client.update_item(**arguments)["Attributes"]
        return updated


def _plain(item: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """An item without the types of its values, all of which are texts or whole numbers."""
    return {name: next(iter(value.values())) for name, value in item.items()}


def open_ledger() -> Ledger:
    """The ledger that the function's environment names."""
    return Ledger(
        client=boto3.client("dynamodb"),
        table=os.environ["LEDGER_TABLE"],
        endpoint=os.environ["ENDPOINT_NAME"],
        clock=time.time,
    )
