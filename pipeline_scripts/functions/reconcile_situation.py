"""What should serve beside what does, and what follows from the two."""

from dataclasses import dataclass

from pipeline_scripts.functions.reconcile_beside import Beside
from pipeline_scripts.functions.reconcile_parameters import NOTHING
from pipeline_scripts.functions.reconcile_stack import Endpoint, ServingStack


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What should serve and what does.

    Args:
        target: The version that should serve; None: none.
        kept: It serves although no version is approved any more.
        instance_type: The machines to ask for with it; empty where the stack has no parameter for them.
        beside: The versions beside it: those that may stand there, and those that have to go.
        previous_type: The machines to return to, if these are on trial; else empty.
        proven: What was last proven to serve, as the ledger has it.
        stack: The serving stack.
        endpoint: The endpoint; None where there is none to look at.
        left: Whether the stack is still to be asked for something.
    """

    target: dict[str, str] | None
    kept: bool
    instance_type: str
    beside: Beside
    previous_type: str
    proven: dict[str, str]
    stack: ServingStack
    endpoint: Endpoint | None
    left: bool

    @property
    def proven_before(self) -> bool:
        """The target was proven in this place, and no other version has come since."""
        return is_in_place(self.target, stack=self.stack, proven=self.proven)

    @property
    def settled(self) -> bool:
        """The target serves as it was proven to, and nothing is left to do."""
        return (
            self.proven_before
            and self.stack.settled
            and not self.left
            and self.proven.get("instance_type", "") == self.stack.instance_type
            and (self.kept or "kept" not in self.proven)  # one that is approved again is proven again
            and self.proven.get("beside_sha256", "") == self.beside.sha256  # whoever is new there is verified
            and (self.endpoint is None or self._endpoint_is_as_proven(self.endpoint))
        )

    def _endpoint_is_as_proven(self, endpoint: Endpoint) -> bool:
        """It may also be as it was proven because SageMaker went back to that from what the stack asks for."""
        asked_for = self.stack.outputs.get("EndpointConfigName")
        return not endpoint.lost and endpoint.config_name == self.proven["config_name"] == asked_for


def decide(found: Situation) -> tuple[str, str]:
    """Compare what should serve with what does: an outcome and its reason."""
    stack, target = found.stack, found.target
    if stack.moving:
        return "moving", f"{stack.name} is {stack.status}"
    if stack.stranded:
        return "stranded", f"{stack.name} is {stack.status}"
    if target is None:
        if stack.package_arn == NOTHING and not (found.proven or found.left):
            return "settled", "no version is approved and none serves"
        return "withdraw", "no approved version is left that may serve"
    if found.settled and found.endpoint and found.endpoint.status == "UpdateRollbackFailed":
        return "stuck", f"{found.endpoint.said}; it serves a mix of two configurations: repair it in SageMaker"
    if found.settled and found.kept and "kept" not in found.proven:
        return "kept", f"no version is approved any more; version {target['version']} is kept in service"
    if found.settled:
        return "settled", f"version {target['version']} already serves"
    return "deploy", f"version {target['version']} is to serve"


def is_in_place(target: dict[str, str] | None, *, stack: ServingStack, proven: dict[str, str]) -> bool:
    """Whether the target was proven, and the stack asks for it, or for nothing while the way is cleared for it."""
    if target is None or target["package_arn"] != proven.get("package_arn"):
        return False
    return stack.package_arn in (target["package_arn"], NOTHING)
