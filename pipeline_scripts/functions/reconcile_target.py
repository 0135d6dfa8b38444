"""What a reconciliation knows of a version: what the registry says of it."""

from collections.abc import Mapping
from typing import Any

from pipeline_scripts.functions.json_object import sha256_of

SIGNED = frozenset({"Image", "ModelDataUrl", "Environment"})
"""What a container is made of, and evidence vouches for."""

DESCRIBING = frozenset(
    {
        "ContainerHostname",
        "Framework",
        "FrameworkVersion",
        "ImageDigest",
        "ModelDataETag",
        "ModelInput",
        "NearestModelName",
    }
)
"""What is only said of it. Anything else might bring other bytes into it."""


def target_of(package: dict[str, Any], *, staged: bool = False) -> dict[str, str]:
    """What the registry says of a version, flat and complete: what it lacks is empty.

    Args:
        package: The version.
        staged: Whether it was approved for a stage, with a note of its own.
    """
    note = package.get("ModelLifeCycle", {}).get("StageDescription") if staged else package.get("ApprovalDescription")
    properties = package.get("CustomerMetadataProperties", {})
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    container = containers[0] if len(containers) == 1 else {}
    return {
        "package_arn": package["ModelPackageArn"],
        "version": str(package["ModelPackageVersion"]),
        "evidence_uri": properties.get("evidence_uri", ""),
        "artifact_uri": container.get("ModelDataUrl", ""),
        "artifact_sha256": properties.get("artifact_sha256", ""),
        "image": container.get("Image", ""),
        "environment_sha256": sha256_of(container.get("Environment", {})),
        "unsigned": ", ".join(_unsigned(container)) if container else f"{len(containers)} containers",
        "evidence_sha256": properties.get("evidence_sha256", ""),
        "execution": properties.get("pipeline_execution", ""),
        "dataset_hash": properties.get("dataset_hash", ""),
        "commit": properties.get("commit", ""),
        "author": properties.get("author", ""),
        "approver": package.get("LastModifiedBy", {}).get("UserProfileName")
        or package.get("LastModifiedBy", {}).get("IamIdentity", {}).get("Arn", "unknown"),
        "approval_note": note or "",
    }


def _unsigned(container: Mapping[str, Any]) -> list[str]:
    """The members of a container that no evidence covers."""
    covered = SIGNED | DESCRIBING
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    artefact = {"S3Uri": container.get("ModelDataUrl"), "S3DataType": "S3Object", "CompressionType": "Gzip"}
    if source == artefact:  # said twice
        covered |= {"ModelDataSource"}
    return sorted(name for name, value in container.items() if value and name not in covered)
