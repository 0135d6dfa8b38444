"""The steps of the reconcile workflow: one function each, allowed what that step does and no more."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.approval.target import ServingTarget
from baton.foundation.ledger import Ledger
from baton.foundation.lineage import let_tell_lineage
from baton.foundation.runtime_code import HandlerFunction
from baton.permissions import allow
from baton.platform import Platform
from baton.registry.model_versions import ModelVersions
from baton.registry.reading import let_read
from baton.training.signed_evidence import SignedEvidence

STACK_NAMES = "The part that varies is the stack's id, which is new whenever the stack is deployed anew."


class ReconcileSteps(Construct):
    """Choose, verify, update, watch, prove and record.

    Only `update` can change anything outside the ledger, and only one stack, by the parameters that stack has, as a
    role that is scoped to what the stack holds.

    Args:
        platform: Keys, zones and notifications.
        model: The model's name.
        registry: The versions and their approvals.
        ledger: What the steps remember.
        target: The serving stack.
        execution_role: As whom CloudFormation updates it.
        evidence: What must vouch for a version.
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
        time_limit: cdk.Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        self._model = model
        self._ledger = ledger
        self._target = target
        self.choose = self._choose(registry, time_limit)
        self.verify = self._verify(evidence)
        self.update = self._update(execution_role)
        self.watch = self._watch()
        self.prove = self._prove()
        self.record = self._record()

    def _choose(self, registry: ModelVersions, time_limit: cdk.Duration) -> HandlerFunction:
        limit = str(int(time_limit.to_seconds()))
        environment = {
            **self._stack,
            **self._remembering,
            "MODEL_PACKAGE_GROUP": registry.reference,
            "LIMIT_SECONDS": limit,
        }
        if registry.stages:
            environment["STAGES"] = ",".join(registry.stages)
        step = self._step("choose", "Decides which version should serve", environment)
        self._ledger.grant(step.role, "GetItem", "Query", "UpdateItem")
        let_read(step.role, registry)
        self._see_stack(step)
        return step

    def _verify(self, evidence: SignedEvidence) -> HandlerFunction:
        step = self._step("verify", "Checks a version's artefact and evidence", evidence.environment, minutes=5)
        evidence.grant_verify(step.role)
        return step

    def _update(self, execution_role: iam.IRole) -> HandlerFunction:
        """Without the condition, leaving the role out would let CloudFormation act as whoever deployed the stack."""
        environment = {**self._stack, **self._remembering, "EXECUTION_ROLE_ARN": execution_role.role_arn}
        step = self._step("update", "Asks CloudFormation for a version", environment)
        self._ledger.grant(step.role, "UpdateItem")
        self._see_stack(step)
        allow(
            step.role,
            ["cloudformation:UpdateStack"],
            [self._target.stack_arn(self)],
            why=STACK_NAMES,
            conditions={"ArnEquals": {"cloudformation:RoleArn": execution_role.role_arn}},
        )
        allow(
            step.role,
            ["iam:PassRole"],
            [execution_role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        )
        return step

    def _watch(self) -> HandlerFunction:
        step = self._step("watch", "Looks where stack and endpoint are", {**self._stack, **self._remembering})
        self._ledger.grant(step.role, "UpdateItem")
        self._see_stack(step, "cloudformation:DescribeStackEvents")
        self._see_endpoint(step)
        return step

    def _prove(self) -> HandlerFunction:
        environment = {**self._stack, "ENDPOINT_NAME": self._target.endpoint_name}
        step = self._step("prove", "Proves by a canary which version serves", environment)
        self._see_stack(step)
        self._see_endpoint(step, "sagemaker:InvokeEndpoint")
        return step

    def _record(self) -> HandlerFunction:
        topic = self._platform.topic.topic
        step = self._step("record", "Records what happened", {**self._remembering, "TOPIC_ARN": topic.topic_arn})
        self._ledger.grant(step.role, "DeleteItem", "GetItem", "PutItem", "UpdateItem")
        let_tell_lineage(
            step,
            environment=self._platform.environment_name,
            model=self._model,
            actions=["Approval", "Deployment"],
            contexts=True,
        )
        allow(step.role, ["sns:Publish"], [topic.topic_arn])
        allow(step.role, ["kms:Decrypt", "kms:GenerateDataKey"], [self._platform.keys.operations.key_arn])
        return step

    @property
    def _remembering(self) -> dict[str, str]:
        return {"LEDGER_TABLE": self._ledger.table.table_name, "ENDPOINT_NAME": self._target.endpoint_name}

    @property
    def _stack(self) -> dict[str, str]:
        return {"STACK_NAME": self._target.stack_name}

    def _step(
        self, name: str, description: str, environment: Mapping[str, str], *, minutes: int = 1
    ) -> HandlerFunction:
        return self._platform.handler_function(
            self,
            name.capitalize(),
            handler=f"reconcile_{name}",
            description=f"{self._target.endpoint_name}: {description[0].lower()}{description[1:]}",
            environment=environment,
            timeout=cdk.Duration.minutes(minutes),
        )

    def _see_stack(self, step: HandlerFunction, *more: str) -> None:
        actions = ["cloudformation:DescribeStacks", *more]
        allow(step.role, actions, [self._target.stack_arn(self)], why=STACK_NAMES)

    def _see_endpoint(self, step: HandlerFunction, *more: str) -> None:
        allow(step.role, ["sagemaker:DescribeEndpoint", *more], [self._target.endpoint_arn])
