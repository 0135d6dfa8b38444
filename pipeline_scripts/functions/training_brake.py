"""The brake on automatic training: not again so soon, and not too often in a week."""

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

WEEK_SECONDS = 7 * 24 * 3600

ATTEMPTS = 20
"""Each attempt loses only to another that won, and every win but the first is refused by the cooldown."""


class BrakeContended(Exception):
    """Others kept changing the brake; the event will be delivered again."""


class Brake:
    """One DynamoDB table, one partition per model.

    The item `brake` holds the automatic starts of the last week and a revision; whoever changes it says which revision
    it read, so of two alarms at once one wins and the other reads again. Items `start#<time>#<token>` are the record of
    every start, by alarm or by hand, and `granted#<token>` says which execution a lasting wish has started.

    Args:
        client: A DynamoDB client.
        table: Name of the table.
        model: The model whose partition this is.
        clock: Seconds since the epoch.
    """

    def __init__(self, *, client: Any, table: str, model: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._model = model
        self._clock = clock

    def take(self, token: str, *, cooldown_hours: int, max_per_week: int) -> str | None:
        """Reserve an automatic start for `token`; the reason why not, or None when it is reserved.

        A token that holds a reservation already keeps it: its event came again after a failure.

        Raises:
            BrakeContended: Others kept changing the brake.
        """
        for _ in range(ATTEMPTS):
            revision, starts = self._read()
            if token in starts:
                return None
            now = self._clock()
            recent = {key: at for key, at in starts.items() if now - at < WEEK_SECONDS}
            if len(recent) >= max_per_week:
                return f"{len(recent)} automatic trainings in the last 7 days, and {max_per_week} are allowed"
            last = max(recent.values(), default=None)
            if last is not None and now - last < cooldown_hours * 3600:
                return f"the last automatic training was at {_iso(last)}, and {cooldown_hours} hours must pass"
            if self._write(revision, {**recent, token: now}):
                return None
        raise BrakeContended(f"{self._model}: others kept changing the brake; the event will be delivered again")

    def release(self, token: str) -> None:
        """Give a reservation back, because nothing was started.

        Raises:
            BrakeContended: Others kept changing the brake.
        """
        for _ in range(ATTEMPTS):
            revision, starts = self._read()
            if token not in starts:
                return
            if self._write(revision, {key: at for key, at in starts.items() if key != token}):
                return
        raise BrakeContended(f"{self._model}: others kept changing the brake; the event will be delivered again")

    def granted(self, token: str) -> str | None:
        """The execution that a lasting wish has started already; None where it has not."""
        item = self._client.get_item(TableName=self._table, Key=self._grant(token), ConsistentRead=True).get("Item")
        return None if item is None else str(item["execution_arn"]["S"])

    def grant(self, token: str, execution_arn: str) -> None:
        """Remember which execution a lasting wish has started."""
        self._client.put_item(TableName=self._table, Item={**self._grant(token), "execution_arn": {"S": execution_arn}})

    def record(self, token: str, facts: dict[str, str]) -> None:
        """Write down a start, for whoever asks later who wanted it, and when."""
        item = {
            "model": {"S": self._model},
            "entry": {"S": f"start#{_iso(self._clock())}#{token[:12]}"},
            **{name: {"S": value} for name, value in facts.items()},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def _read(self) -> tuple[int, dict[str, float]]:
        item = self._client.get_item(TableName=self._table, Key=self._key(), ConsistentRead=True).get("Item")
        if item is None:
            return 0, {}
        return int(item["revision"]["N"]), {token: float(at["N"]) for token, at in item["starts"]["M"].items()}

    def _write(self, revision: int, starts: dict[str, float]) -> bool:
        """Replace the brake, if it is still the one that was read."""
        item = {
            **self._key(),
            "revision": {"N": str(revision + 1)},
            "starts": {"M": {token: {"N": repr(at)} for token, at in starts.items()}},
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(entry) OR revision = :read",
                ExpressionAttributeValues={":read": {"N": str(revision)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _grant(self, token: str) -> dict[str, Any]:
        return {"model": {"S": self._model}, "entry": {"S": f"granted#{token}"}}

    def _key(self) -> dict[str, Any]:
        return {"model": {"S": self._model}, "entry": {"S": "brake"}}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
