"""How a person says which of the versions that may serve does."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.approval.step import Step
from baton.approval.target import ServingTarget
from baton.foundation.ledger import Ledger
from baton.permissions import allow
from baton.platform import Platform
from baton.registry.model_versions import ModelVersions
from baton.registry.reading import let_read


class VersionPin(Construct):
    """A function that pins a version, goes back to the last good one or unpins, and starts the workflow.

    It alone writes the pin, and only of a version that may serve, so whoever may call it needs no access to the ledger.

    Args:
        platform: Keys and notifications.
        registry: The versions and their approvals.
        ledger: Where the pin is kept.
        target: The serving stack.
        machine: The workflow.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        registry: ModelVersions,
        ledger: Ledger,
        target: ServingTarget,
        machine: sfn.StateMachine,
    ) -> None:
        super().__init__(scope, construct_id)
        step = Step(
            self,
            "Pin",
            platform=platform,
            target=target,
            description="pins a version, or goes back to the last good one",
            environment={
                "MODEL_PACKAGE_GROUP": registry.reference,
                "STATE_MACHINE_ARN": machine.state_machine_arn,
                **({"STAGES": ",".join(registry.stages)} if registry.stages else {}),
            },
        )
        step.let_remember(ledger, "DeleteItem", "GetItem", "PutItem", "Query")
        let_read(step.role, registry)
        allow(step.role, ["states:StartExecution"], [machine.state_machine_arn])
        self.function: lambda_.IFunction = step.function
