"""Versions beside the one that serves. A person names them in the stack's parameters; the workflow takes them away.

A challenger answers callers, so it must be all that the version that serves must be. A shadow answers nobody and may
wait for its approval; but its code reads what callers send, as the endpoint's role, so it must be what was signed.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from pipeline_scripts.functions.evidence_archive import Archive
from pipeline_scripts.functions.evidence_objects import Refused
from pipeline_scripts.functions.json_object import sha256_of
from pipeline_scripts.functions.reconcile_evidence import verified_bundle
from pipeline_scripts.functions.reconcile_parameters import NOTHING
from pipeline_scripts.functions.reconcile_target import target_of
from pipeline_scripts.functions.stages import approved_for

CHALLENGER, SHADOW = "ChallengerModelPackageArn", "ShadowModelPackageArn"

MAY_STAND = {
    CHALLENGER: {"Approved"},
    SHADOW: {"Approved", "PendingManualApproval"},
}
"""By parameter, the approvals with which a version may stand there: a challenger answers callers, a shadow nobody."""

CALLED = {CHALLENGER: "challenger", SHADOW: "shadow"}

UNKNOWN = frozenset({"ValidationException", "AccessDeniedException"})
"""What the registry says of a version that it does not have, or that is of another group than this endpoint's."""

UNREADABLE = frozenset(
    {"AccessDenied", "InvalidObjectState", "KMS.DisabledException", "KMS.NotFoundException", "KeyTooLongError"}
)
"""What S3 says of an object that stays unreadable: of another model, under another key, or in cold storage.

The version that serves is verified first, by the same role: were the role at fault, the run would end there.
"""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The versions beside the one that serves.

    Args:
        standing: By parameter, what the registry says of a version that may stand there.
        leaving: By parameter, why the version that it names has to go, in a sentence that names it.
    """

    standing: Mapping[str, Mapping[str, str]]
    leaving: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """The hash of what the registry says of those that may stand there; empty where none does."""
        return sha256_of(self.standing) if self.standing else ""

    def verified(self, archive: Archive) -> "Beside":
        """Those whose evidence verifies; the others have to go as well."""
        standing, leaving = dict(self.standing), dict(self.leaving)
        for name, told in self.standing.items():
            try:
                _verify(told, archive=archive, answers=name == CHALLENGER)
            except Refused as refusal:
                del standing[name]
                leaving[name] = _taken_away(name, told["package_arn"], refusal)
        return Beside(standing=standing, leaving=leaving)


def versions_beside(
    parameters: Mapping[str, str], *, sagemaker: Any, quarantined: Set[str], stages: Sequence[str]
) -> Beside:
    """The versions that the parameters name, as far as the registry knows who may stand there.

    Args:
        parameters: The stack's.
        sagemaker: Reads the registry.
        quarantined: Package ARNs that may stand nowhere.
        stages: The stage that a challenger must be approved for, and those after it; none where the registry is this
            environment's own.
    """
    standing, leaving = {}, {}
    for name in MAY_STAND:
        arn = parameters.get(name, NOTHING)
        if arn == NOTHING:
            continue
        try:
            if arn in quarantined:
                raise Refused("it is quarantined")
            standing[name] = _allowed(name, _registered(sagemaker, arn), stages)
        except Refused as refusal:
            leaving[name] = _taken_away(name, arn, refusal)
    return Beside(standing=standing, leaving=leaving)


def _registered(sagemaker: Any, arn: str) -> dict[str, Any]:
    try:
        package: dict[str, Any] = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] not in UNKNOWN:
            raise
        raise Refused("the registry knows no such version of this model") from error
    return package


def _allowed(name: str, package: dict[str, Any], stages: Sequence[str]) -> dict[str, str]:
    status = package["ModelApprovalStatus"]
    if status not in MAY_STAND[name]:
        raise Refused(f"it is {status}")
    if name == CHALLENGER and not approved_for(package, stages):
        raise Refused(f"it is not approved for {stages[0]}")
    try:
        return target_of(package, staged=bool(stages))
    except (KeyError, ValueError) as error:
        raise Refused("it has no number or not one container, as a version that Baton registers has") from error


def _verify(told: Mapping[str, str], *, archive: Archive, answers: bool) -> None:
    try:
        verified_bundle(told, archive=archive, answers=answers)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in UNREADABLE:
            raise
        raise Refused(f"its artefact or evidence cannot be read: {code}") from error


def _taken_away(name: str, arn: str, reason: Refused) -> str:
    return f"{CALLED[name]} {arn.rpartition(':model-package/')[2]} is taken away: {reason}"
