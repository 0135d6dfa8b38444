"""Versions beside the one that serves. A person names them in the stack's parameters; the registry takes them away."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from botocore.exceptions import ClientError

from pipeline_scripts.functions.reconcile_parameters import NOTHING
from pipeline_scripts.functions.stages import approved_for

CHALLENGER, SHADOW = "ChallengerModelPackageArn", "ShadowModelPackageArn"

MAY_STAND = {
    CHALLENGER: {"Approved"},
    SHADOW: {"Approved", "PendingManualApproval"},
}
"""By parameter, the approvals with which a version may stand there: a challenger answers callers, a shadow nobody."""


def out_of_place(
    parameters: Mapping[str, str], *, sagemaker: Any, quarantined: Set[str], stages: Sequence[str]
) -> list[str]:
    """The parameters that name a version which may not stand there.

    Args:
        parameters: The stack's.
        sagemaker: Reads the registry.
        quarantined: Package ARNs that may stand nowhere.
        stages: The stage that a challenger must be approved for, and those after it; none where the registry is this
            environment's own.
    """
    return [
        name
        for name, approvals in MAY_STAND.items()
        if (arn := parameters.get(name, NOTHING)) != NOTHING
        and (arn in quarantined or not _may_stand(sagemaker, arn, approvals, stages))
    ]


def _may_stand(sagemaker: Any, arn: str, approvals: Set[str], stages: Sequence[str]) -> bool:
    try:
        package = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return False  # the registry knows it no more
    approved = "PendingManualApproval" in approvals or approved_for(package, stages)
    return package["ModelApprovalStatus"] in approvals and approved
