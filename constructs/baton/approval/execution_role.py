"""As whom CloudFormation acts when the reconcile workflow, and not a person, updates the serving stack."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.approval.target import ServingTarget
from baton.monitoring.launcher import ScheduleGroup
from baton.permissions import allow
from baton.platform import Platform
from baton.registry.model_versions import ModelVersions
from baton.registry.reading import let_read

READS_VERSIONS = "The registry numbers the versions of this one group."
NAMED_BY_CLOUDFORMATION = "CloudFormation names these; the tags hold the permission to this model's own."

DEFINITIONS = {
    "DataQualityJobDefinition": "data-quality-job-definition",
    "ModelQualityJobDefinition": "model-quality-job-definition",
    "ModelBiasJobDefinition": "model-bias-job-definition",
    "ModelExplainabilityJobDefinition": "model-explainability-job-definition",
}


class ServingExecutionRole(Construct):
    """May change what belongs to a served version, and nothing else: no role, no policy, no key, no bucket, no alarm.

    Whoever may update a stack acts with that stack's execution role, and the CDK's own may do everything. So the
    workflow passes this one (docs/decisions/0003).

    Args:
        platform: Keys and the environment's name.
        model: The model's name.
        target: The serving stack.
        registry: The versions that may be served.
        passed_to_sagemaker: Roles of the endpoint and of its monitors.
        schedules: The group of the monitors' schedules; None where SageMaker keeps them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: str,
        target: ServingTarget,
        registry: ModelVersions,
        passed_to_sagemaker: Sequence[iam.IRole],
        schedules: ScheduleGroup | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._target = target
        self._own = {"baton:model": model, "baton:environment": platform.environment_name}
        self.role = iam.Role(
            self,
            "Resource",
            assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
            description=f"CloudFormation, when a version of {model} is approved or rejected",
        )
        let_read(self.role, registry)
        if registry.foreign:
            # The registry's account grants CreateModel on its versions; whoever is granted a call must also have it.
            allow(self.role, ["sagemaker:CreateModel"], [registry.versions_arn], why=READS_VERSIONS)
        self._serve(platform)
        self._scale(platform)
        self._pass(passed_to_sagemaker, "sagemaker.amazonaws.com")
        if schedules is None:
            self._monitor_managed()
        else:
            self._monitor_open(schedules)
        # Every stack of the CDK has a parameter that names the version of the bootstrap, which CloudFormation looks up.
        allow(
            self.role,
            ["ssm:GetParameters"],
            [self._arn("ssm", "parameter", "cdk-bootstrap/*/version")],
            why=("The bootstrap's qualifier is chosen by the account; its version number is no secret."),
        )

    def _serve(self, platform: Platform) -> None:
        models, configs = self._arn("sagemaker", "model", "*"), self._arn("sagemaker", "endpoint-config", "*")
        endpoint = self._target.endpoint_arn
        self._create(["sagemaker:CreateModel", "sagemaker:CreateEndpointConfig"], [models, configs])
        self._change(["sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig"], [models, configs])
        allow(
            self.role,
            ["sagemaker:DescribeModel", "sagemaker:DescribeEndpointConfig", "sagemaker:ListTags"],
            [models, configs, endpoint],
            why="CloudFormation names models and configurations; describing one changes nothing.",
        )
        allow(
            self.role,
            ["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"],
            [endpoint, configs],
            why="Both calls are also checked against the configuration that the endpoint shall use.",
        )
        allow(self.role, ["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:DeleteTags"], [endpoint])
        self._create(["sagemaker:AddTags"], [models, configs, endpoint])
        # Who makes a configuration lets SageMaker use the keys of its volumes and of what it captures.
        keys = [platform.keys.models.key_arn, platform.keys.data.key_arn]
        allow(self.role, ["kms:DescribeKey"], keys)
        allow(self.role, ["kms:CreateGrant"], keys, conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}})
        # An endpoint that rolls back by alarms is refused to whoever may not see them.
        allow(
            self.role,
            ["cloudwatch:DescribeAlarms"],
            ["*"],
            why="DescribeAlarms reads the state of alarms, and CloudFormation asks for them by list.",
        )

    def _scale(self, platform: Platform) -> None:
        """Application Auto Scaling registers with a role of its own, and keeps two alarms for each policy."""
        scalable = {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}}
        why = "A scalable target has no ARN before it is registered; the condition holds it to SageMaker's variants."
        calls = ("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy")
        targets = self._arn("application-autoscaling", "scalable-target", "*")
        allow(self.role, [f"application-autoscaling:{call}" for call in calls], [targets], why=why, conditions=scalable)
        allow(
            self.role,
            [f"application-autoscaling:{call}" for call in ("DescribeScalableTargets", "DescribeScalingPolicies")],
            ["*"],
            why="Describing scalable targets knows no resource.",
        )
        allow(
            self.role,
            ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
            [self._arn("cloudwatch", f"alarm:TargetTracking-endpoint/{self._target.endpoint_name}/*")],
            why="Application Auto Scaling ends the names of its alarms in an id of its own.",
        )
        linked = "sagemaker.application-autoscaling.amazonaws.com"
        allow(
            self.role,
            ["iam:CreateServiceLinkedRole"],
            [
                cdk.Stack.of(self).format_arn(
                    service="iam",
                    region="",
                    resource="role",
                    resource_name=(
                        f"aws-service-role/{linked}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
                    ),
                )
            ],
            conditions={"StringEquals": {"iam:AWSServiceName": linked}},
        )

    def _monitor_open(self, schedules: ScheduleGroup) -> None:
        self._pass([schedules.role], "scheduler.amazonaws.com")
        allow(
            self.role,
            [f"scheduler:{verb}Schedule" for verb in ("Create", "Update", "Delete", "Get")],
            [self._arn("scheduler", "schedule", f"{schedules.name}/*")],
            why="The group holds the schedules of this one endpoint, which CloudFormation names.",
        )

    def _monitor_managed(self) -> None:
        schedule = f"{self._target.endpoint_name}-*"
        allow(
            self.role,
            [
                *(f"sagemaker:{verb}MonitoringSchedule" for verb in ("Create", "Update", "Delete", "Describe")),
                "sagemaker:StartMonitoringSchedule",
                "sagemaker:StopMonitoringSchedule",
                "sagemaker:AddTags",
            ],
            [self._arn("sagemaker", "monitoring-schedule", schedule)],
            why="The four schedules are named after their endpoint.",
        )
        for call, resource in DEFINITIONS.items():
            definitions = [self._arn("sagemaker", resource, "*")]
            self._create([f"sagemaker:Create{call}", "sagemaker:AddTags"], definitions)
            self._change([f"sagemaker:Delete{call}"], definitions)
            allow(
                self.role,
                [f"sagemaker:Describe{call}"],
                definitions,
                why="CloudFormation names definitions; describing one changes nothing.",
            )

    def _create(self, actions: Sequence[str], resources: Sequence[str]) -> None:
        tagged = {f"aws:RequestTag/{key}": value for key, value in self._own.items()}
        allow(self.role, actions, resources, why=NAMED_BY_CLOUDFORMATION, conditions={"StringEquals": tagged})

    def _change(self, actions: Sequence[str], resources: Sequence[str]) -> None:
        tagged = {f"aws:ResourceTag/{key}": value for key, value in self._own.items()}
        allow(self.role, actions, resources, why=NAMED_BY_CLOUDFORMATION, conditions={"StringEquals": tagged})

    def _pass(self, roles: Sequence[iam.IRole], service: str) -> None:
        allow(
            self.role,
            ["iam:PassRole"],
            [role.role_arn for role in roles],
            conditions={"StringEquals": {"iam:PassedToService": service}},
        )

    def _arn(self, service: str, resource: str, name: str | None = None) -> str:
        return cdk.Stack.of(self).format_arn(service=service, resource=resource, resource_name=name)
