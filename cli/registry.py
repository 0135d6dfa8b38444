"""The model registry: the versions of a model, and the word of the compliance officer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from cli.errors import BatonError, refused
from cli.stacks import Platform

Decision = Literal["Approved", "Rejected"]


@dataclass(frozen=True, kw_only=True)
class Version:
    """One registered version, with the lineage it was registered with."""

    number: int
    arn: str
    status: str
    created: datetime
    commit: str
    author: str
    dataset_hash: str
    dataset_uri: str
    evidence_uri: str
    evidence_sha256: str
    image: str
    artifact_sha256: str
    execution: str
    reason: str
    comment: str
    decided_by: str


def versions(platform: Platform, *, limit: int = 100) -> list[Version]:
    """The newest versions of the model, newest first."""
    client = platform.client("sagemaker")
    group = platform.output("training", "ModelPackageGroupName")
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", PaginationConfig={"MaxItems": limit}
    )
    arns = [summary["ModelPackageArn"] for page in pages for summary in page["ModelPackageSummaryList"]]
    return sorted((describe(platform, arn) for arn in arns), key=lambda version: -version.number)


def version(platform: Platform, number: int) -> Version:
    """One version by its number.

    Raises:
        BatonError: The model has no such version.
    """
    known = versions(platform)
    for candidate in known:
        if candidate.number == number:
            return candidate
    numbers = ", ".join(str(candidate.number) for candidate in known) or "none yet"
    raise BatonError(f"{platform.model} has no version {number}; there is: {numbers}")


def describe(platform: Platform, arn: str) -> Version:
    """One version by its model package."""
    package = platform.client("sagemaker").describe_model_package(ModelPackageName=arn)
    facts = package.get("CustomerMetadataProperties", {})
    decided = (
        package.get("ApprovalDescription") is not None or package["ModelApprovalStatus"] != "PendingManualApproval"
    )
    return Version(
        number=int(package["ModelPackageVersion"]),
        arn=package["ModelPackageArn"],
        status=package["ModelApprovalStatus"],
        created=package["CreationTime"],
        comment=package.get("ApprovalDescription", ""),
        decided_by=_person(package.get("LastModifiedBy", {})) if decided else "",
        execution=facts.get("pipeline_execution", ""),
        **{
            name: facts.get(name, "")
            for name in (
                "commit",
                "author",
                "dataset_hash",
                "dataset_uri",
                "evidence_uri",
                "evidence_sha256",
                "image",
                "artifact_sha256",
                "reason",
            )
        },
    )


def decide(
    platform: Platform, chosen: Version, decision: Decision, *, comment: str, role_arn: str | None, person: str
) -> None:
    """Approve or reject a version, as the compliance officer.

    Args:
        platform: The platform, reached as whoever calls.
        chosen: The version.
        decision: The word given.
        comment: Why; it is kept with the version.
        role_arn: The role to take for this one call; None: as whoever calls.
        person: Whose name the role's session carries, for the audit trail.

    Raises:
        BatonError: AWS does not let this caller decide.
    """
    try:
        connection = platform.connection
        if role_arn:
            connection = connection.assume(role_arn, session_name=person)
        connection.client("sagemaker").update_model_package(
            ModelPackageArn=chosen.arn, ModelApprovalStatus=decision, ApprovalDescription=comment
        )
    except ClientError as error:
        if not refused(error):
            raise
        what = f"take the role {role_arn}" if error.operation_name == "AssumeRole" else f"set a version to {decision}"
        raise BatonError(
            f"refused: {person} may not {what}; only the compliance officer decides about versions of {platform.model}"
        ) from error


def _person(who: dict[str, Any]) -> str:
    """The name at the end of an ARN of a signed-in person or a role's session."""
    identity = who.get("IamIdentity", {}).get("Arn") or who.get("UserProfileName") or ""
    return str(identity).rsplit("/", 1)[-1]
