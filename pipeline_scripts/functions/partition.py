"""One partition of a DynamoDB table: items by their sort key, read consistently, changed under conditions."""

from collections.abc import Iterator, Mapping
from typing import Any

Value = str | int | float | bool
Facts = Mapping[str, Value]


class ConditionFailed(Exception):
    """Somebody else has changed the item meanwhile, so this change was not made."""


class Partition:
    """The items that share one partition key.

    Args:
        client: A DynamoDB client.
        table: Name of the table.
        key: Name and value of the partition key.
        sort_key: Name of the sort key.
    """

    def __init__(self, *, client: Any, table: str, key: tuple[str, str], sort_key: str) -> None:
        self._client = client
        self._table = table
        self._key_name, self._key_value = key
        self._sort_key = sort_key

    def item(self, name: str) -> dict[str, Any]:
        """An item's facts without its keys; empty where there is none."""
        answer = self._client.get_item(TableName=self._table, Key=self._key(name), ConsistentRead=True)
        return self._facts(answer.get("Item", {}))

    def between(self, first: str, last: str) -> Iterator[dict[str, Any]]:
        """The facts of all items whose sort keys lie between two, in their order."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "#key = :key AND #sort BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#key": self._key_name, "#sort": self._sort_key},
            "ExpressionAttributeValues": {
                ":key": {"S": self._key_value},
                ":first": {"S": first},
                ":last": {"S": last},
            },
        }
        while True:
            page = self._client.query(**arguments)
            yield from map(self._facts, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def change(
        self, name: str, *, put: Facts | None = None, remove: tuple[str, ...] = (), where: str, given: Facts
    ) -> None:
        """Set and remove facts of an item, or make it, if a condition holds.

        Args:
            name: The item.
            put: The facts to set.
            remove: The facts to remove.
            where: A condition of DynamoDB's, in which `#x` is the fact `x`, and `:x` the value `given["x"]`.
            given: The values that the condition compares with.

        Raises:
            ConditionFailed: It does not hold.
        """
        put = put or {}
        names = {f"#{fact}": fact for fact in (*put, *remove)}
        names |= {word: word[1:] for word in where.replace("(", " ").replace(")", " ").split() if word[0] == "#"}
        values = {f":put_{fact}": _typed(value) for fact, value in put.items()}
        values |= {f":{fact}": _typed(value) for fact, value in given.items()}
        sets = ", ".join(f"#{fact} = :put_{fact}" for fact in put)
        removes = ", ".join(f"#{fact}" for fact in remove)
        clauses = (f"SET {sets}" if sets else "", f"REMOVE {removes}" if removes else "")
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "Key": self._key(name),
            "UpdateExpression": " ".join(filter(None, clauses)),
            "ConditionExpression": where,
            "ExpressionAttributeNames": names,
        }
        if values:
            arguments["ExpressionAttributeValues"] = values
        try:
            self._client.update_item(**arguments)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise ConditionFailed(f"{self._key_value}: {name} is no longer what it was") from error

    def _key(self, name: str) -> dict[str, dict[str, str]]:
        return {self._key_name: {"S": self._key_value}, self._sort_key: {"S": name}}

    def _facts(self, item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        return {name: _plain(value) for name, value in item.items() if name not in (self._key_name, self._sort_key)}


def _typed(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": repr(value)} if isinstance(value, int | float) else {"S": value}


def _plain(value: Mapping[str, Any]) -> Any:
    [(kind, content)] = value.items()
    if kind != "N":
        return content
    return float(content) if "." in content or "e" in content.lower() else int(content)
