"""Searching everything that people downstream may read for the personal values of the source."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from embedded.demo.personal_values import PersonalValues
from embedded.demo.unpacking import contents

# Objects that are fetched at a time; more would only wait for each other.
FETCHERS = 8


@dataclass(frozen=True)
class Finding:
    """A personal value where none may be. The value itself is kept out of reports: they would leak it again."""

    place: str
    column: str
    value: str


@dataclass
class Searched:
    """What was looked through, and what was found."""

    values: int
    left_out: int
    objects: int = 0
    log_events: int = 0
    bytes: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def values_found(self) -> int:
        """How many distinct values turned up."""
        return len({finding.value for finding in self.findings})


def search_buckets(
    s3: Any, values: PersonalValues, buckets: Iterable[str], note: Callable[[str], None] = lambda text: None
) -> Searched:
    """Search every object of some buckets.

    Args:
        s3: The client.
        values: What to look for.
        buckets: Where to look.
        note: Told what is being searched.
    """
    searched = Searched(values=len(values), left_out=values.left_out)
    for bucket in buckets:
        note(f"bucket {bucket}")
        for name, content in _objects(s3, bucket):
            searched.objects += 1
            searched.bytes += len(content)
            _look(searched, values, f"s3://{bucket}/{name}", content)
    return searched


def search_logs(
    logs: Any, values: PersonalValues, searched: Searched, note: Callable[[str], None] = lambda text: None
) -> None:
    """Search every event of every log group, and add what comes of it to `searched`."""
    for group, events in _logs(logs):
        note(f"log group {group}")
        searched.log_events += len(events)
        _look(searched, values, f"log group {group}", "\n".join(events).encode())


def _look(searched: Searched, values: PersonalValues, place: str, content: bytes) -> None:
    for where, part in [(place, place.encode()), *contents(place, content)]:
        searched.findings += [Finding(where, values.column_of[value], value) for value in sorted(values.within(part))]


def _objects(s3: Any, bucket: str) -> Iterator[tuple[str, bytes]]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    with ThreadPoolExecutor(FETCHERS) as pool:
        bodies = pool.map(lambda key: s3.get_object(Bucket=bucket, Key=key)["Body"].read(), keys)
        yield from zip(keys, bodies, strict=True)


def _logs(logs: Any) -> Iterator[tuple[str, list[str]]]:
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
            yield name, [event["message"] for events in pages for event in events["events"]]
