"""DynamoDB, S3 and KMS in memory, as far as reconciling needs them: much faster than moto."""

import hashlib
import hmac
import io
import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, dict[str, str]]


class ConditionalCheckFailedException(Exception):
    """A condition did not hold, and nothing was written."""


class _Exceptions:
    ConditionalCheckFailedException = ConditionalCheckFailedException


class MemoryTable:
    """One table with the keys `endpoint` and `item`, and the expressions that the ledger writes."""

    exceptions = _Exceptions

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}

    def get_item(self, *, Key: Item, **_: Any) -> dict[str, Any]:
        found = self.items.get(_place(Key))
        return {} if found is None else {"Item": dict(found)}

    def put_item(self, *, Item: Item, **_: Any) -> None:
        self.items[_place(Item)] = dict(Item)

    def delete_item(self, *, Key: Item, **_: Any) -> None:
        self.items.pop(_place(Key), None)

    def query(self, *, ExpressionAttributeValues: Item, **_: Any) -> dict[str, Any]:
        endpoint, kind = (ExpressionAttributeValues[name]["S"] for name in (":endpoint", ":kind"))
        found = [
            item for (owner, name), item in sorted(self.items.items()) if owner == endpoint and name.startswith(kind)
        ]
        return {"Items": found}

    def update_item(
        self,
        *,
        Key: Item,
        UpdateExpression: str,
        ExpressionAttributeValues: Item,
        ConditionExpression: str = "",
        ExpressionAttributeNames: dict[str, str] | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        old = self.items.get(_place(Key), {})
        names = ExpressionAttributeNames or {}
        if ConditionExpression and not _holds(_named(ConditionExpression, names), old, ExpressionAttributeValues):
            raise ConditionalCheckFailedException(ConditionExpression)
        new = {**Key, **old}
        verb, _, rest = _named(UpdateExpression, names).partition(" ")
        for part in map(str.strip, rest.split(",")):
            if verb == "REMOVE":
                new.pop(part, None)
            elif verb == "ADD":
                name, value = part.split()
                number = int(new.get(name, {"N": "0"})["N"]) + int(ExpressionAttributeValues[value]["N"])
                new[name] = {"N": str(number)}
            else:
                name, value = map(str.strip, part.split("="))
                new[name] = ExpressionAttributeValues[value]
        self.items[_place(Key)] = new
        return {"Attributes": dict(new)}


def _place(key: Item) -> tuple[str, str]:
    return key["endpoint"]["S"], key["item"]["S"]


def _named(expression: str, names: dict[str, str]) -> str:
    for alias, name in names.items():
        expression = expression.replace(alias, name)
    return expression


def _holds(condition: str, item: Item, values: Item) -> bool:
    return any(all(_term(term, item, values) for term in way.split(" AND ")) for way in condition.split(" OR "))


def _term(term: str, item: Item, values: Item) -> bool:
    absent = re.fullmatch(r"attribute_not_exists\((\w+)\)", term)
    if absent:
        return absent[1] not in item
    name, operator, value = term.split()
    if name not in item:
        return False
    if operator == "=":
        return item[name] == values[value]
    return int(item[name]["N"]) < int(values[value]["N"])


class _Body(io.BytesIO):
    def iter_chunks(self, size: int) -> Iterator[bytes]:
        while chunk := self.read(size):
            yield chunk


class MemoryObjects:
    """Buckets of objects."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        self.objects[Bucket, Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": f"no {Key}"}}, "GetObject")
        return {"Body": _Body(self.objects[Bucket, Key])}

    def list_objects_v2(self, *, Bucket: str, Prefix: str) -> dict[str, Any]:
        found = [key for bucket, key in sorted(self.objects) if bucket == Bucket and key.startswith(Prefix)]
        return {"Contents": [{"Key": key} for key in found]}


class MemoryKms:
    """One key that signs and verifies. Its signatures are a keyed hash: real ones are the tampering tests' affair."""

    ARN = "arn:aws:kms:eu-west-1:000000000000:key/signing"

    def sign(self, *, KeyId: str, Message: bytes, **_: Any) -> dict[str, Any]:
        return {"Signature": hmac.digest(KeyId.encode(), Message, hashlib.sha256)}

    def verify(self, *, KeyId: str, Message: bytes, Signature: bytes, **_: Any) -> dict[str, Any]:
        return {"SignatureValid": hmac.compare_digest(self.sign(KeyId=KeyId, Message=Message)["Signature"], Signature)}
