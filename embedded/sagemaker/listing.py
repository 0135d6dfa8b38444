"""List actions: filters, order and pages, driven by what the request and the summary shape declare."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from embedded.front.api import ApiError, service_model
from embedded.sagemaker.store import Record

_PAGE = 100


class Listing:
    """How one List action answers.

    Args:
        action: The List operation.
        name_key: The record's member that `NameContains` and `SortBy: Name` read.
        status_key: The member that `StatusEquals` reads.
        aliases: Summary members whose record has them under another name.
    """

    def __init__(
        self,
        *,
        action: str,
        name_key: str,
        status_key: str | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self._action = action
        self._name_key = name_key
        self._status_key = status_key
        self._aliases = dict(aliases or {})

    def answer(self, request: Mapping[str, Any], records: Iterable[Record]) -> dict[str, Any]:
        """Filter, sort and page the records as the request asks."""
        chosen = self._sorted(request, [record for record in records if self._wanted(request, record)])
        start = _offset(request.get("NextToken"))
        size = request.get("MaxResults") or _PAGE
        member = self._list_member()
        page = [self._summary(record) for record in chosen[start : start + size]]
        answer: dict[str, Any] = {member: page}
        if start + size < len(chosen):
            answer["NextToken"] = str(start + size)
        return answer

    def _wanted(self, request: Mapping[str, Any], record: Record) -> bool:
        created: datetime | None = record.get("CreationTime") or record.get("StartTime")
        after = request.get("CreationTimeAfter") or request.get("CreatedAfter")
        before = request.get("CreationTimeBefore") or request.get("CreatedBefore")
        status = request.get("StatusEquals")
        return (
            request.get("NameContains", "").lower() in str(record.get(self._name_key, "")).lower()
            and (status is None or self._status_key is None or record.get(self._status_key) == status)
            and (created is None or after is None or created >= after)
            and (created is None or before is None or created <= before)
        )

    def _sorted(self, request: Mapping[str, Any], records: list[Record]) -> list[Record]:
        """Creation is the default order, the newest first, as SageMaker's; equal times keep their order."""
        by = request.get("SortBy") or "CreationTime"
        descending = request.get("SortOrder", "Descending") == "Descending"
        ordered = list(reversed(records)) if descending else list(records)
        if by in ("Name", "PipelineName", "EndpointName"):
            ordered.sort(key=lambda record: str(record.get(self._name_key)), reverse=descending)
        elif by == "Status":
            ordered.sort(key=lambda record: str(record.get(self._status_key or "")), reverse=descending)
        return ordered

    def _list_member(self) -> str:
        output = service_model("sagemaker").operation_model(self._action).output_shape
        return next(str(name) for name, member in output.members.items() if member.type_name == "list")

    def _summary(self, record: Record) -> Record:
        return {**record, **{name: record.get(source) for name, source in self._aliases.items()}}


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    if not token.isdigit():
        raise ApiError("ValidationException", f"NextToken {token!r} was not issued by this service.")
    return int(token)
