"""What each persona does, whether in a session of their own or from a notebook."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

from baton.governance import duties
from baton.governance.bounded_role import Duty
from baton.governance.governed_model import GovernedModel
from baton.platform import Platform
from baton.registry.approval_rule import OFFICER, VERDICTS

DATA_SCIENTIST, DATA_ENGINEER, MLOPS_ENGINEER = "data-scientist", "data-engineer", "mlops-engineer"
BOOTSTRAP_ROLES = ("deploy", "file-publishing", "lookup")


class Work:
    """The duties of the four personas.

    Args:
        stack: Where the roles lie; ARNs are written for its account and region.
        platform: The environment's foundation.
        models: The models they work on.
        database_name: The catalogue's database.
        work_group_name: Where they query it.
    """

    def __init__(
        self,
        *,
        stack: cdk.Stack,
        platform: Platform,
        models: Sequence[GovernedModel],
        database_name: str,
        work_group_name: str,
    ) -> None:
        self._platform = platform
        self._models = models
        self._stack = stack
        self._prefixes = [model.name for model in models]
        self._stack_names = f"baton-{platform.environment_name}-"
        self._query = duties.query(
            stack=stack,
            database_name=database_name,
            work_group_name=work_group_name,
            curated=platform.zones.curated,
            key=platform.keys.data,
        )

    def everywhere(self) -> dict[str, list[Duty]]:
        """By persona, what they may do wherever they work."""
        return {
            OFFICER: self._of_compliance_officer(),
            DATA_SCIENTIST: self._of_data_scientist(),
            DATA_ENGINEER: self._of_data_engineer(),
            MLOPS_ENGINEER: self._of_mlops_engineer(),
        }

    def in_person(self) -> dict[str, list[Duty]]:
        """By persona, what they may do as themselves, with a second factor, and never from a notebook."""
        return {OFFICER: [self._decide()], DATA_SCIENTIST: [], DATA_ENGINEER: [], MLOPS_ENGINEER: [self._deploy()]}

    def in_notebooks(self) -> dict[str, list[Duty]]:
        """By persona, what their notebooks may do wherever they work, and what is of use in a notebook alone.

        Only environments for development have notebooks, and there a data scientist may ask the endpoint.
        """
        everywhere = self.everywhere()
        return {**everywhere, DATA_SCIENTIST: [*everywhere[DATA_SCIENTIST], *self._ask_endpoints()]}

    def _decide(self) -> Duty:
        # Without a verdict in the request this allows nothing, so it is no way to swap a version's artefact.
        return Duty(
            actions=["sagemaker:UpdateModelPackage"],
            resources=[model.registry.versions_arn for model in self._models],
            conditions={"StringEquals": {"sagemaker:ModelApprovalStatus": VERDICTS}},
            why_wildcard="The versions of one group, whose numbers are not known before they are registered.",
        )

    def _deploy(self) -> Duty:
        """Deploy as anybody deploys: through the roles of the CDK's bootstrap, which keep CloudFormation's record."""
        account, region = self._stack.account, self._stack.region
        qualifier = cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER
        return Duty(
            actions=["sts:AssumeRole"],
            resources=[
                self._stack.format_arn(
                    service="iam",
                    region="",
                    resource="role",
                    resource_name=f"cdk-{qualifier}-{role}-role-{account}-{region}",
                )
                for role in BOOTSTRAP_ROLES
            ],
        )

    def _of_compliance_officer(self) -> list[Duty]:
        zones, keys = self._platform.zones, self._platform.keys
        return [
            Duty(actions=["lambda:InvokeFunction"], resources=[model.reproduce.function_arn for model in self._models]),
            self._read_registry(),
            duties.read_lineage(),
            *self._read_ledgers([model.ledger_arn for model in self._models]),
            *duties.read_zone(zones.evidence, keys.models, self._prefixes),
            duties.watch(),
        ]

    def _of_data_scientist(self) -> list[Duty]:
        zones, keys = self._platform.zones, self._platform.keys
        return [
            Duty(
                actions=["lambda:InvokeFunction"],
                resources=[
                    function.function_arn
                    for model in self._models
                    for function in (model.start_training, model.reproduce)
                ],
            ),
            self._follow_trainings(),
            self._read_registry(),
            duties.read_lineage(),
            *self._read_features(),
            *self._query,
            *(
                duty
                for bucket, key in (
                    (zones.curated, keys.data),
                    (zones.features, keys.data),
                    (zones.monitoring, keys.data),
                    (zones.models, keys.models),
                    (zones.evidence, keys.models),
                )
                for duty in duties.read_zone(bucket, key, self._prefixes)
            ),
            duties.read_logs(self._stack, ["/aws/sagemaker/"]),
            duties.watch(),
        ]

    def _of_data_engineer(self) -> list[Duty]:
        zones, keys = self._platform.zones, self._platform.keys
        return [
            Duty(
                actions=[
                    "glue:BatchStopJobRun",
                    "glue:GetJob",
                    "glue:GetJobRun",
                    "glue:GetJobRuns",
                ],
                resources=[model.etl.job_arn for model in self._models],
            ),
            *self._run_workflows([model.ingestion for model in self._models]),
            *self._read_ledgers([model.ingestion_ledger_arn for model in self._models]),
            *self._query,
            *duties.read_zone(zones.curated, keys.data, self._prefixes),
            *duties.request_erasures(zones.vault, keys.vault, self._prefixes),
            *duties.read_zone(zones.evidence, keys.models, [f"{prefix}/erasures" for prefix in self._prefixes]),
            duties.read_logs(self._stack, ["/aws-glue/jobs"]),
            duties.watch(),
        ]

    def _of_mlops_engineer(self) -> list[Duty]:
        zones, keys = self._platform.zones, self._platform.keys
        return [
            *self._ask_endpoints(),
            Duty(
                actions=["lambda:InvokeFunction"],
                resources=[
                    function.function_arn
                    for model in self._models
                    for function in (model.start_training, model.start_monitor)
                    if function is not None
                ],
            ),
            *self._run_workflows([machine for model in self._models for machine in (model.reconcile, model.ingestion)]),
            *self._read_ledgers(
                [arn for model in self._models for arn in (model.ledger_arn, model.ingestion_ledger_arn)]
            ),
            self._follow_trainings(),
            self._read_registry(),
            duties.read_lineage(),
            *duties.read_zone(zones.monitoring, keys.data, self._prefixes),
            *duties.read_zone(zones.evidence, keys.models, self._prefixes),
            duties.read_logs(self._stack, ["/aws/sagemaker/", "/aws-glue/jobs", self._stack_names]),
            duties.watch(),
            Duty(
                actions=["cloudformation:DescribeStackEvents", "cloudformation:DescribeStacks"],
                resources=[
                    self._stack.format_arn(
                        service="cloudformation",
                        resource="stack",
                        resource_name=f"{self._stack_names}*",
                    )
                ],
                why_wildcard="The stacks of this environment; CloudFormation ends each name with an id of its own.",
            ),
        ]

    def _ask_endpoints(self) -> list[Duty]:
        """By the call that each answers. Nobody can ask a batch, which has no endpoint."""
        endpoints: dict[tuple[str, ...], list[str]] = {}
        for model in self._models:
            arn = self._stack.format_arn(service="sagemaker", resource="endpoint", resource_name=model.endpoint_name)
            endpoints.setdefault(model.invoke_actions, []).append(arn)
        return [
            Duty(actions=["sagemaker:DescribeEndpoint", *actions], resources=arns)
            for actions, arns in endpoints.items()
            if actions
        ]

    def _follow_trainings(self) -> Duty:
        return Duty(
            actions=[
                "sagemaker:DescribePipeline",
                "sagemaker:DescribePipelineExecution",
                "sagemaker:ListPipelineExecutionSteps",
                "sagemaker:ListPipelineExecutions",
                "sagemaker:StopPipelineExecution",
            ],
            resources=[arn for model in self._models for arn in (model.pipeline_arn, f"{model.pipeline_arn}/*")],
            why_wildcard="The executions of one pipeline, whose ids SageMaker makes up.",
        )

    def _read_registry(self) -> Duty:
        return Duty(
            actions=[
                "sagemaker:DescribeModelPackage",
                "sagemaker:DescribeModelPackageGroup",
                "sagemaker:ListModelPackages",
            ],
            resources=[
                arn for model in self._models for arn in (model.registry.group_arn, model.registry.versions_arn)
            ],
            why_wildcard="The versions of one group, whose numbers are not known before they are registered.",
        )

    def _read_features(self) -> list[Duty]:
        """Look up online records; the offline store lies in the features zone and the catalogue."""
        groups = [model.feature_group_arn for model in self._models if model.feature_group_arn is not None]
        if not groups:
            return []
        return [
            Duty(
                actions=["sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup", "sagemaker:GetRecord"],
                resources=groups,
            ),
            duties.decrypt(self._platform.keys.data, through="sagemaker"),
        ]

    def _read_ledgers(self, tables: Sequence[str]) -> list[Duty]:
        return [
            Duty(actions=["dynamodb:GetItem", "dynamodb:Query"], resources=tables),
            duties.decrypt(self._platform.keys.operations, through="dynamodb"),
        ]

    def _run_workflows(self, machines: Sequence[sfn.StateMachine]) -> list[Duty]:
        executions = [
            self._stack.format_arn(
                service="states",
                resource="execution",
                resource_name=f"{machine.state_machine_name}:*",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            for machine in machines
        ]
        return [
            Duty(
                actions=["states:DescribeStateMachine", "states:ListExecutions", "states:StartExecution"],
                resources=[machine.state_machine_arn for machine in machines],
            ),
            Duty(
                actions=["states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution"],
                resources=executions,
                why_wildcard="The executions of one workflow, whose names it is given as it starts.",
            ),
        ]
