"""The steps of the reconcile workflow: one function each, allowed what that step does and no more."""

from collections.abc import Mapping, Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.approval.proof import proof
from baton.approval.step import Step
from baton.approval.target import ServingTarget
from baton.foundation.ledger import Ledger
from baton.foundation.lineage import let_tell_lineage
from baton.permissions import allow
from baton.platform import Platform
from baton.registry.model_versions import ModelVersions
from baton.registry.reading import let_read
from baton.training.signed_evidence import SignedEvidence


class ReconcileSteps(Construct):
    """Choose, recover, verify, update, watch, prove and record.

    Only `update` and `recover` can change anything outside the ledger, and only one stack, as a role that is scoped to
    what the stack holds: the one by the parameters that the stack has, the other by going on with its roll-back.

    Args:
        platform: Keys, zones and notifications.
        model: The model's name.
        registry: The versions and their approvals.
        ledger: What the steps remember.
        target: The serving stack.
        execution_role: As whom CloudFormation updates it.
        evidence: What must vouch for a version.
        when_none_approved: What becomes of the endpoint when no version is approved any more.
        time_limit: How long one run may take.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: str,
        registry: ModelVersions,
        ledger: Ledger,
        target: ServingTarget,
        execution_role: iam.IRole,
        evidence: SignedEvidence,
        when_none_approved: Literal["withdraw", "keep"],
        time_limit: cdk.Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        self._ledger = ledger
        self._target = target
        self._execution_role = execution_role
        self.choose = self._choose(registry, when_none_approved, time_limit)
        self.recover = self._recover()
        self.verify = self._verify(evidence)
        self.update = self._update()
        self.watch = self._watch()
        self.prove = proof(self, "Prove", platform=platform, target=target, ledger=ledger)
        self.record = self._record(model)

    @property
    def all(self) -> Sequence[Step]:
        """Every step, in the order in which a version passes them."""
        return self.choose, self.recover, self.verify, self.update, self.watch, self.prove, self.record

    def _choose(self, registry: ModelVersions, when_none_approved: str, time_limit: cdk.Duration) -> Step:
        environment = {
            "MODEL_PACKAGE_GROUP": registry.reference,
            "INSTANCE_TYPE": self._target.instance_type,
            "WHEN_NONE_APPROVED": when_none_approved,
            "LIMIT_SECONDS": str(int(time_limit.to_seconds())),
        }
        if registry.stages:
            environment["STAGES"] = ",".join(registry.stages)
        step = self._step("Choose", "decides which version should serve", environment)
        step.let_remember(self._ledger, "GetItem", "Query", "UpdateItem")
        let_read(step.role, registry)
        step.let_see_stack()
        step.let_see_endpoint()
        return step

    def _recover(self) -> Step:
        step = self._step("Recover", "has CloudFormation go on with a roll-back that failed")
        step.let_remember(self._ledger, "UpdateItem")
        step.let_see_stack()
        step.let_move_stack("ContinueUpdateRollback", execution_role=self._execution_role)
        return step

    def _verify(self, evidence: SignedEvidence) -> Step:
        step = self._step("Verify", "checks a version's artefact and evidence", evidence.environment, minutes=5)
        evidence.grant_verify(step.role)
        return step

    def _update(self) -> Step:
        step = self._step("Update", "asks CloudFormation for a version")
        step.let_remember(self._ledger, "UpdateItem")
        step.let_see_stack()
        step.let_see_endpoint()
        step.let_move_stack("UpdateStack", execution_role=self._execution_role)
        return step

    def _watch(self) -> Step:
        step = self._step("Watch", "looks where stack and endpoint are")
        step.let_remember(self._ledger, "UpdateItem")
        step.let_see_stack("cloudformation:DescribeStackEvents")
        step.let_see_endpoint()
        return step

    def _record(self, model: str) -> Step:
        topic = self._platform.topic.topic
        step = self._step("Record", "records what happened", {"TOPIC_ARN": topic.topic_arn})
        step.let_remember(self._ledger, "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")
        let_tell_lineage(
            step.handler,
            environment=self._platform.environment_name,
            model=model,
            actions=["Approval", "Deployment"],
            contexts=True,
        )
        allow(step.role, ["sns:Publish"], [topic.topic_arn])
        allow(step.role, ["kms:Decrypt", "kms:GenerateDataKey"], [self._platform.keys.operations.key_arn])
        return step

    def _step(
        self, name: str, description: str, environment: Mapping[str, str] | None = None, *, minutes: int = 1
    ) -> Step:
        return Step(
            self,
            name,
            platform=self._platform,
            target=self._target,
            description=description,
            environment=environment,
            minutes=minutes,
        )
