"""What DescribeEndpoint says of an endpoint's variants, derived from its configuration, and the way back."""

from collections.abc import Iterable, Mapping
from typing import Any

from embedded.sagemaker.store import Record, now

Variants = list[dict[str, Any]]


def variants_of(
    config: Mapping[str, Any], images: Mapping[str, str], *, member: str = "ProductionVariants"
) -> Variants:
    """Summarise the variants of a configuration, all of them at their initial size."""
    return [_summary(variant, images.get(variant["VariantName"])) for variant in config.get(member, ())]


def as_sized(config: Record, variants: Iterable[Mapping[str, Any]]) -> Record:
    """A configuration whose production variants begin with the sizes and weights that these have."""
    sizes = {variant["VariantName"]: variant for variant in variants}
    return {**config, "ProductionVariants": [_sized(v, sizes[v["VariantName"]]) for v in config["ProductionVariants"]]}


def _sized(declared: Mapping[str, Any], summary: Mapping[str, Any]) -> Record:
    sized = {**declared, "InitialVariantWeight": summary["CurrentWeight"]}
    if "CurrentInstanceCount" in summary:
        sized["InitialInstanceCount"] = summary["CurrentInstanceCount"]
    return sized


def with_status(variants: Variants, status: str) -> Variants:
    """The variants of a fleet that is being deployed, each with what happens to it."""
    state = [{"Status": status, "StartTime": now()}]
    return [{**variant, "VariantStatus": state} for variant in variants]


def _summary(variant: Mapping[str, Any], image: str | None) -> dict[str, Any]:
    weight = float(variant.get("InitialVariantWeight", 1.0))
    summary: dict[str, Any] = {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if image is not None:
        resolved = {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now()}
        summary["DeployedImages"] = [resolved]
    if "ServerlessConfig" in variant:
        serverless = variant["ServerlessConfig"]
        return {**summary, "CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
    count = int(variant.get("InitialInstanceCount", 1))
    return {**summary, "CurrentInstanceCount": count, "DesiredInstanceCount": count}


def retain(new: Variants, old: Iterable[Mapping[str, Any]], *, excluded: Iterable[str]) -> None:
    """Carry over what an update with RetainAllVariantProperties keeps: sizes and weights, unless excluded."""
    before = {variant["VariantName"]: variant for variant in old}
    left_out = set(excluded)
    for variant in new:
        kept = before.get(variant["VariantName"], {})
        if "DesiredInstanceCount" not in left_out and "CurrentInstanceCount" in kept:
            resize(variant, count=kept["CurrentInstanceCount"])
        if "DesiredWeight" not in left_out and "CurrentWeight" in kept:
            resize(variant, weight=kept["CurrentWeight"])


def resize(variant: dict[str, Any], *, count: int | None = None, weight: float | None = None) -> None:
    """Give one variant another number of instances or another weight."""
    if count is not None:
        variant["CurrentInstanceCount"] = variant["DesiredInstanceCount"] = count
    if weight is not None:
        variant["CurrentWeight"] = variant["DesiredWeight"] = weight


def capture_of(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The state of data capture, where the configuration asks for it."""
    capture = config.get("DataCaptureConfig")
    if capture is None:
        return None
    enabled = bool(capture.get("EnableCapture", False))
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }


def images_of(store_models: Mapping[str, Record], config: Mapping[str, Any]) -> dict[str, str]:
    """The image of each variant's model, where the model names one itself."""
    images = {}
    for variant in [*config["ProductionVariants"], *config.get("ShadowProductionVariants", ())]:
        model = store_models.get(variant.get("ModelName", ""), {})
        image = model.get("PrimaryContainer", {}).get("Image")
        if image is not None:
            images[variant["VariantName"]] = image
    return images
