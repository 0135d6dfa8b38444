"""Tags of SageMaker resources."""

from typing import Any

from embedded.front.api import Caller, Handler
from embedded.sagemaker.store import Store


class Tagging:
    """The actions on tags; they name a resource by its ARN."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {"AddTags": self._add, "ListTags": self._list, "DeleteTags": self._delete}

    def _add(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            self._store.tag(request["ResourceArn"], request["Tags"])
            return {"Tags": self._store.tags(request["ResourceArn"])}

    def _list(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return {"Tags": self._store.tags(request["ResourceArn"])}

    def _delete(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            self._store.untag(request["ResourceArn"], request["TagKeys"])
        return {}
