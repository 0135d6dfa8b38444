"""How CloudFormation brings a feature group to what its template says: by what the service can add, and no more."""

from collections.abc import Mapping
from typing import Any

from embedded.front.resource_type import ClientFactory, Properties


class NotAnAddition(Exception):
    """A template wants of a feature group what no update can bring."""


def extend_feature_group(client: ClientFactory, properties: Properties) -> None:
    """Add the features that the template has and the group has not, and give records the template's lifetime.

    Raises:
        NotAnAddition: A feature would leave or change its type, or the online store would change.
    """
    sagemaker, name = client("sagemaker"), properties["FeatureGroupName"]
    group = sagemaker.describe_feature_group(FeatureGroupName=name)
    known = {item["FeatureName"]: item["FeatureType"] for item in group["FeatureDefinitions"]}
    wanted = {item["FeatureName"]: item["FeatureType"] for item in properties["FeatureDefinitions"]}
    lost = [feature for feature, kind in known.items() if wanted.get(feature) != kind]
    if lost:
        raise NotAnAddition(f"Feature {lost[0]} of {name} can be neither removed nor changed.")
    _refuse_another_store(name, group.get("OnlineStoreConfig", {}), properties.get("OnlineStoreConfig", {}))
    changes: dict[str, Any] = {}
    if new := [item for item in properties["FeatureDefinitions"] if item["FeatureName"] not in known]:
        changes["FeatureAdditions"] = new
    lifetime = _lifetime(properties.get("OnlineStoreConfig", {}))
    if lifetime != _lifetime(group.get("OnlineStoreConfig", {})) and lifetime is not None:
        changes["OnlineStoreConfig"] = {"TtlDuration": lifetime}
    if changes:
        sagemaker.update_feature_group(FeatureGroupName=name, **changes)


def _refuse_another_store(name: str, known: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in ("EnableOnlineStore", "StorageType", "SecurityConfig"):
        if key in known and key in wanted and str(known[key]).lower() != str(wanted[key]).lower():
            raise NotAnAddition(f"{key} of {name} cannot be changed.")


def _lifetime(online: Mapping[str, Any]) -> dict[str, Any] | None:
    given = online.get("TtlDuration")
    return {"Unit": given["Unit"], "Value": int(given["Value"])} if given else None
