"""The functions of the ingestion workflow, each allowed what it does and no more."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.foundation.ledger import Ledger
from baton.foundation.lineage import let_tell_lineage
from baton.foundation.runtime_code import HandlerFunction
from baton.permissions import acknowledge_wildcards, allow
from baton.platform import Platform


class IngestionSteps(Construct):
    """Claim, record and close.

    Args:
        platform: Keys, zones and notifications.
        model: The model's name, which is its prefix in the zones.
        source: Where its rows come from, in words: the connection's name and what is read behind it.
        ledger: What the steps remember.
        claim: How long a run keeps others out: no shorter than the workflow's own limit.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: str,
        source: str,
        ledger: Ledger,
        claim: cdk.Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        self._model = model
        self._source = source
        self._ledger = ledger
        self.claim = self._claim(claim)
        self.record = self._record()
        self.close = self._step("close", "Writes down how a run ended")
        ledger.grant(self.close.role, "GetItem", "UpdateItem")

    def let_see(self, machine: sfn.StateMachine) -> None:
        """Let the claim see whether the execution that holds it still runs.

        As a policy of its own: the function waits for its role's, and the machine for the function.
        """
        executions = cdk.Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine.state_machine_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        policy = iam.Policy(
            self,
            "SeeExecutions",
            roles=[self.claim.role],
            statements=[iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[executions])],
        )
        acknowledge_wildcards(
            policy,
            [executions],
            reason="The executions of one workflow, whose names it is given as it starts.",
        )

    def _claim(self, duration: cdk.Duration) -> HandlerFunction:
        environment = {"CLAIM_SECONDS": str(int(duration.to_seconds()))}
        step = self._step("claim", "Sees that no other run is at work", environment)
        self._ledger.grant(step.role, "GetItem", "UpdateItem")
        return step

    def _record(self) -> HandlerFunction:
        curated, key = self._platform.zones.curated, self._platform.keys.data
        environment = {
            "CURATED_BUCKET": curated.bucket_name,
            "ENVIRONMENT_NAME": self._platform.environment_name,
            "SOURCE": self._source,
        }
        step = self._step("record", "Sees what was published", environment)
        self._ledger.grant(step.role, "GetItem", "Query", "UpdateItem")
        allow(
            step.role,
            ["s3:GetObject"],
            [
                curated.arn_for_objects(f"{self._model}/current.json"),
                curated.arn_for_objects(f"{self._model}/runs/*manifest.json"),
            ],
            why="Every run's manifest lies in a folder of its own under this model's prefix.",
        )
        # Without it S3 answers that access is denied, and not that an object is missing.
        allow(step.role, ["s3:ListBucket"], [curated.bucket_arn])
        allow(step.role, ["kms:Decrypt"], [key.key_arn])
        let_tell_lineage(step, environment=self._platform.environment_name, model=self._model, actions=["Ingestion"])
        return step

    def _step(self, name: str, description: str, environment: Mapping[str, str] | None = None) -> HandlerFunction:
        return self._platform.handler_function(
            self,
            name.capitalize(),
            handler=f"{name}_ingestion",
            description=f"{self._model}: {description[0].lower()}{description[1:]}",
            environment={
                "LEDGER_TABLE": self._ledger.table.table_name,
                "MODEL_NAME": self._model,
                **(environment or {}),
            },
        )
