"""What SageMaker refuses of endpoints and their configurations beyond what its API's shapes say.

The rules are those of its documentation; the wording is ours where no error of the real service was at hand.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from embedded.front.api import ApiError
from embedded.sagemaker.store import Record

_SERVERLESS_STEP_MB = 1024
_BESIDE_SERVERLESS = ("DataCaptureConfig", "ShadowProductionVariants", "AsyncInferenceConfig")
_OF_INSTANCES = ("InstanceType", "InitialInstanceCount", "VolumeSizeInGB")


def check_config(config: Mapping[str, Any], models: Mapping[str, Record]) -> None:
    """Check an endpoint configuration before it is kept.

    Raises:
        ApiError: A ValidationException that says what cannot be.
    """
    for reason in _faults(config, models):
        raise ApiError("ValidationException", reason)


def _faults(config: Mapping[str, Any], models: Mapping[str, Record]) -> Iterator[str]:
    variants = [*config["ProductionVariants"], *config.get("ShadowProductionVariants", ())]
    for variant in variants:
        if "ModelName" in variant and variant["ModelName"] not in models:
            yield f'Could not find model "{variant["ModelName"]}".'
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        yield f"The names of variants must be unique; there are {', '.join(sorted(names))}."
    if any("ServerlessConfig" in variant for variant in variants):
        yield from _serverless_faults(config, variants, models)
    else:
        yield from _instance_faults(variants)
    if config.get("ShadowProductionVariants"):
        yield from _shadow_faults(config)


def _serverless_faults(
    config: Mapping[str, Any], variants: list[Mapping[str, Any]], models: Mapping[str, Record]
) -> Iterator[str]:
    if len(variants) > 1:
        yield "A serverless endpoint has exactly one production variant."
    for name in _BESIDE_SERVERLESS:
        if config.get(name):
            yield f"{name} is not supported for serverless endpoints."
    variant = variants[0]
    serverless = variant["ServerlessConfig"]
    for name in _OF_INSTANCES:
        if name in variant:
            yield f"Variant {variant['VariantName']} has a ServerlessConfig and cannot have {name}."
    if serverless["MemorySizeInMB"] % _SERVERLESS_STEP_MB:
        yield f"MemorySizeInMB must be a multiple of {_SERVERLESS_STEP_MB}, not {serverless['MemorySizeInMB']}."
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        yield "ProvisionedConcurrency must not be greater than MaxConcurrency."
    model = models.get(variant.get("ModelName", ""), {})
    if model.get("VpcConfig"):
        yield f"Model {variant['ModelName']} has a VpcConfig, which serverless endpoints do not support."
    if model.get("EnableNetworkIsolation"):
        yield f"Model {variant['ModelName']} has network isolation, which serverless endpoints do not support."


def _instance_faults(variants: list[Mapping[str, Any]]) -> Iterator[str]:
    for variant in variants:
        missing = [name for name in ("InstanceType", "InitialInstanceCount") if name not in variant]
        if missing and "ModelName" in variant:
            name = variant["VariantName"]
            yield f"Variant {name} needs {' and '.join(missing)}, or a ServerlessConfig."


def _shadow_faults(config: Mapping[str, Any]) -> Iterator[str]:
    if len(config["ProductionVariants"]) > 1 or len(config["ShadowProductionVariants"]) > 1:
        yield "With ShadowProductionVariants there can be one production variant and one shadow variant only."
    if config.get("AsyncInferenceConfig"):
        yield "ShadowProductionVariants are not supported for asynchronous endpoints."


def check_sizes(record: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """Check the numbers of instances that an endpoint's variants are to have.

    Raises:
        ApiError: There is no such variant, or it cannot have this number.
    """
    variants = {variant["VariantName"]: variant for variant in record["ProductionVariants"]}
    unknown = sorted(set(wanted) - set(variants))
    if unknown:
        message = f"The variant(s) {', '.join(unknown)} do not exist for endpoint {record['EndpointArn']}."
        raise ApiError("ValidationException", message)
    for name, item in wanted.items():
        count = item.get("DesiredInstanceCount")
        if count is not None and "CurrentServerlessConfig" in variants[name]:
            raise ApiError("ValidationException", f"Variant {name} is serverless and has no instances to count.")
        if count == 0 and not record.get("AsyncInferenceConfig"):
            message = f"Variant {name} must keep an instance: only asynchronous endpoints scale to 0."
            raise ApiError("ValidationException", message)


def check_scaled(before: Mapping[str, str], config: Mapping[str, Any], *, is_scaled: Callable[[str], bool]) -> None:
    """Check that variants whose size Application Auto Scaling manages stay, and keep their instance type.

    Args:
        before: The instance types by the variants that serve now.
        config: The new configuration.
        is_scaled: Whether a variant is a registered scalable target.

    Raises:
        ApiError: One of them does not.
    """
    after = {variant["VariantName"]: variant.get("InstanceType") for variant in config["ProductionVariants"]}
    held = [name for name, kind in before.items() if after.get(name) != kind and is_scaled(name)]
    if held:
        message = (
            f'The variant(s) "{", ".join(held)}" must be deregistered as scalable target with AutoScaling before '
            "they can be removed or have their instance type updated."
        )
        raise ApiError("ValidationException", message)
