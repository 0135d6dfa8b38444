"""The model registry: the versions of a model, and the word of the compliance officer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from cli.errors import BatonError, refused
from cli.stacks import Platform

Decision = Literal["Approved", "Rejected"]
PENDING = "PendingManualApproval"


@dataclass(frozen=True, kw_only=True)
class Version:
    """One registered version, with the lineage it was registered with.

    `status` is the word of the environment that trained it; `stage` the last environment that takes versions from
    there and had a word on this one, which is `stage_status`; both are empty before.
    """

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
    stage: str = ""
    stage_status: str = ""


def versions(platform: Platform, *, limit: int = 100) -> list[Version]:
    """The newest versions of the model, newest first."""
    client = platform.client("sagemaker")
    group = platform.optional("approval", "VersionsGroup") or platform.output("training", "ModelPackageGroupName")
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
    facts, life = package.get("CustomerMetadataProperties", {}), package.get("ModelLifeCycle", {})
    decided = package.get("ApprovalDescription") is not None or package["ModelApprovalStatus"] != PENDING
    return Version(
        number=int(package["ModelPackageVersion"]),
        arn=package["ModelPackageArn"],
        status=package["ModelApprovalStatus"],
        stage=life.get("Stage", ""),
        stage_status=life.get("StageStatus", ""),
        created=package["CreationTime"],
        comment=(life.get("StageDescription") if platform.stages else None) or package.get("ApprovalDescription", ""),
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
        BatonError: AWS does not let this caller decide, or the version is where its word counts no more.
    """
    if platform.stages and decision == "Approved":
        _check_turn(platform, chosen)
    try:
        connection = platform.connection
        if role_arn:
            connection = connection.assume(role_arn, session_name=person)
        connection.client("sagemaker").update_model_package(
            ModelPackageArn=chosen.arn, **_word(platform.stages, decision, comment)
        )
    except ClientError as error:
        if not refused(error):
            raise
        what = f"take the role {role_arn}" if error.operation_name == "AssumeRole" else f"set a version to {decision}"
        raise BatonError(
            f"refused: {person} may not {what}; only the compliance officer decides about versions of {platform.model}"
        ) from error


def word_on(platform: Platform, version: Version) -> str:
    """What has been decided about a version in this environment: PendingManualApproval where nothing was."""
    if not platform.stages or version.status != "Approved":
        return version.status
    if version.stage == platform.stages[0]:
        return version.stage_status
    return "Approved" if version.stage in platform.stages else PENDING


def _check_turn(platform: Platform, chosen: Version) -> None:
    """A version is approved where it was trained before it is here, and none is taken back from a later stage."""
    trained_in = platform.output("approval", "TrainedIn")
    if chosen.status != "Approved":
        raise BatonError(
            f"version {chosen.number} is {chosen.status} in {trained_in}; it must be approved there before "
            f"{platform.environment} can"
        )
    if chosen.stage in platform.stages[1:]:
        raise BatonError(
            f"version {chosen.number} has gone on to {chosen.stage}, so {platform.environment} has approved it already"
        )


def _word(stages: Sequence[str], decision: Decision, comment: str) -> dict[str, Any]:
    """A decision as the registry takes it: its own status, or the stage of an environment that takes from it."""
    if not stages:
        return {"ModelApprovalStatus": decision, "ApprovalDescription": comment}
    return {"ModelLifeCycle": {"Stage": stages[0], "StageStatus": decision, "StageDescription": comment}}


def _person(who: dict[str, Any]) -> str:
    """The name at the end of an ARN of a signed-in person or a role's session."""
    identity = who.get("IamIdentity", {}).get("Arn") or who.get("UserProfileName") or ""
    return str(identity).rsplit("/", 1)[-1]
