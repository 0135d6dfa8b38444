"""The records of SageMaker's control plane: in memory, one account, one region."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]


class Store:
    """Records by kind and name, and tags by ARN. Handlers hold `lock` while they read and write."""

    def __init__(self, *, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self._lock = threading.RLock()
        self._kinds: dict[str, dict[str, Record]] = {}
        self._tags: dict[str, dict[str, str]] = {}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store: what is read and written inside happens at one moment."""
        with self._lock:
            yield

    def kind(self, name: str) -> dict[str, Record]:
        """The records of one kind by their key, in the order of their creation."""
        return self._kinds.setdefault(name, {})

    def arn(self, path: str) -> str:
        """The ARN of a SageMaker resource of this account and region."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{path}"

    def tag(self, arn: str, tags: list[dict[str, str]]) -> None:
        """Add tags to a resource, or change those it has."""
        self._tags.setdefault(arn, {}).update({tag["Key"]: tag["Value"] for tag in tags})

    def untag(self, arn: str, keys: list[str]) -> None:
        """Take tags from a resource."""
        for key in keys:
            self._tags.get(arn, {}).pop(key, None)

    def forget_tags(self, arn: str) -> None:
        """Drop all tags of a resource that is gone."""
        self._tags.pop(arn, None)

    def tags(self, arn: str) -> list[dict[str, str]]:
        """A resource's tags as SageMaker lists them."""
        return [{"Key": key, "Value": value} for key, value in self._tags.get(arn, {}).items()]


def now() -> datetime:
    """The moment, as the services stamp it."""
    return datetime.now(UTC)


def name_of(reference: str) -> str:
    """The name in a name-or-ARN parameter."""
    return reference.rpartition("/")[2] if reference.startswith("arn:") else reference
