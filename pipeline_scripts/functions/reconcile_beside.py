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

    @property
    def state(self) -> dict[str, Any]:
        """As the workflow's state holds it."""
        return {"standing": dict(self.standing), "beside": dict(self.leaving), "beside_sha256": self.sha256}

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Beside":
        """Read it from the workflow's state."""
        return cls(standing=event.get("standing", {}), leaving=event.get("beside", {}))

    def making_way(self, parameters: Mapping[str, str]) -> "Beside":
        """Those that the stack names, all leaving: where nothing serves, a version comes alone.

        Of two that came together and failed, nobody could tell which was to blame, and one that cannot start would
        keep the other away.
        """
        alone = Refused("a version comes alone where none serves; name it again once that one does")
        named = {name: _taken_away(name, arn, alone) for name, arn in named_beside(parameters).items()}
        return Beside(standing={}, leaving={**named, **self.leaving})

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


def named_beside(parameters: Mapping[str, str]) -> dict[str, str]:
    """The versions that a stack's parameters name beside the one that serves: by parameter, the package."""
    return {name: parameters[name] for name in MAY_STAND if parameters.get(name, NOTHING) != NOTHING}


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
    for name, arn in named_beside(parameters).items():
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
    return target_of(package, staged=bool(stages))


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
