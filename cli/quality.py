"""What the quality rules found in the data set that is published now."""

from dataclasses import dataclass

from cli.errors import BatonError
from cli.published import current_pointer
from cli.stacks import Platform
from cli.storage import read_json


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """One rule: PASS or FAIL, what was found, and how many rows it kept back."""

    rule: str
    outcome: str
    detail: str
    failed_rows: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """The rules of one run, as they were judged before it was published."""

    run_id: str
    rules: list[RuleResult]


def report(platform: Platform) -> Report:
    """The results in the published data set's manifest.

    Raises:
        BatonError: There is no data set, or its manifest is gone.
    """
    uri, pointer = current_pointer(platform)
    manifest = read_json(platform.connection, pointer["manifest_uri"])
    if manifest is None:
        raise BatonError(f"{pointer['manifest_uri']} is missing, though {uri} points to it; run the ETL job again")
    return Report(run_id=manifest["run_id"], rules=[RuleResult(**result) for result in manifest.get("quality", [])])
