"""Records of the Feature Store, by the surrogate of the person they are about."""

from collections.abc import Sequence
from dataclasses import dataclass

from cli.errors import BatonError
from cli.stacks import Platform

# BatchGetRecord takes at most 100 identifiers.
PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Features:
    """What the online store knows of one person; None where it knows nothing, or nothing any more."""

    customer_ref: str
    values: dict[str, str] | None
    expires: str | None


def get(platform: Platform, refs: Sequence[str]) -> list[Features]:
    """Look up online records, in the order they are asked for.

    Raises:
        BatonError: The model has no feature group, or the store could not answer for one of them.
    """
    group = _group(platform)
    found: dict[str, Features] = {}
    distinct = list(dict.fromkeys(refs))
    for start in range(0, len(distinct), PAGE):
        wanted = distinct[start : start + PAGE]
        answer = platform.client("sagemaker-featurestore-runtime").batch_get_record(
            Identifiers=[{"FeatureGroupName": group, "RecordIdentifiersValueAsString": wanted}],
            ExpirationTimeResponse="Enabled",
        )
        _refuse_gaps(group, answer["Errors"], answer["UnprocessedIdentifiers"])
        for record in answer["Records"]:
            ref = record["RecordIdentifierValueAsString"]
            values = {item["FeatureName"]: item["ValueAsString"] for item in record["Record"]}
            found[ref] = Features(customer_ref=ref, values=values, expires=record.get("ExpiresAt"))
    return [found.get(ref, Features(customer_ref=ref, values=None, expires=None)) for ref in distinct]


def _group(platform: Platform) -> str:
    try:
        return platform.output("features", "FeatureGroupName")
    except BatonError as error:
        raise BatonError(f"{error} (a model has a feature group where its file has a feature_store)") from error


def _refuse_gaps(group: str, errors: Sequence[dict[str, str]], unprocessed: Sequence[object]) -> None:
    """A record that could not be read must not look like one that is not there."""
    if errors:
        raise BatonError(f"{group} did not answer: {errors[0]['ErrorCode']}: {errors[0]['ErrorMessage']}")
    if unprocessed:
        raise BatonError(f"{group} is too busy to answer for all of them; ask again, or for fewer")
