"""As whom CloudFormation acts when the reconcile workflow, and not a person, updates the serving stack."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.foundation.scheduled_execution import ScheduleGroup
from baton.permissions import allow
from baton.platform import Platform
from baton.registry.model_registry import ModelRegistry
from baton.registry.reading import let_read
from baton.serving.kind import ServingKind

NAMED_BY_CLOUDFORMATION = "CloudFormation names these; the tags hold the permission to this model's own."

DEFINITIONS = {
    "data_quality": ("DataQualityJobDefinition", "data-quality-job-definition"),
    "model_quality": ("ModelQualityJobDefinition", "model-quality-job-definition"),
    "bias": ("ModelBiasJobDefinition", "model-bias-job-definition"),
    "explainability": ("ModelExplainabilityJobDefinition", "model-explainability-job-definition"),
}
"""What SageMaker calls the definition of each monitor's jobs, in calls and in ARNs."""


class ServingExecutionRole(Construct):
    """May change what belongs to a served version, and nothing else: no role, no policy, no key, no bucket, no alarm.

    Whoever may update a stack acts with that stack's execution role, and the CDK's own may do everything. So the
    workflow passes this one (docs/decisions/0003).

    Args:
        platform: Keys and the environment's name.
        model: The model's name.
        served: What the serving stack holds.
        registry: The versions that may be served.
        watched_as: The role of the monitors.
        schedules: The group of the monitors' schedules; None where SageMaker keeps them, or there are none.
        managed_monitors: The monitors whose schedules SageMaker keeps.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: str,
        served: ServingKind,
        registry: ModelRegistry,
        watched_as: iam.IRole,
        schedules: ScheduleGroup | None,
        managed_monitors: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._served = served
        self._own = {"baton:model": model, "baton:environment": platform.environment_name}
        self.role = iam.Role(
            self,
            "Resource",
            assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
            description=f"CloudFormation, when a version of {model} is approved or rejected",
        )
        let_read(self.role, registry)
        self._model(served)
        if "endpoint" in served.holds:
            self._endpoint(platform)
        if "scaling" in served.holds:
            self._scale(scheduled="scheduled_scaling" in served.holds)
        if served.version_alarm_names:
            self._alarms(served.version_alarm_names)
        if managed_monitors:
            self._pass([watched_as], "sagemaker.amazonaws.com")
            self._monitor(managed_monitors)
        for group in (served.schedules, schedules):
            if group is not None:
                self._schedule(group)
        # Every stack of the CDK has a parameter that names the version of the bootstrap, which CloudFormation looks up.
        allow(
            self.role,
            ["ssm:GetParameters"],
            [self._arn("ssm", "parameter", "cdk-bootstrap/*/version")],
            why=("The bootstrap's qualifier is chosen by the account; its version number is no secret."),
        )

    def _model(self, served: ServingKind) -> None:
        models = [self._arn("sagemaker", "model", "*")]
        self._create(["sagemaker:CreateModel", "sagemaker:AddTags"], models)
        self._change(["sagemaker:DeleteModel"], models)
        self._see(["sagemaker:DescribeModel", "sagemaker:ListTags"], models)
        self._pass([served.role], "sagemaker.amazonaws.com")

    def _endpoint(self, platform: Platform) -> None:
        configs, endpoint = self._arn("sagemaker", "endpoint-config", "*"), self._served.endpoint_arn
        self._create(["sagemaker:CreateEndpointConfig"], [configs])
        self._change(["sagemaker:DeleteEndpointConfig"], [configs])
        self._see(["sagemaker:DescribeEndpointConfig", "sagemaker:ListTags"], [configs, endpoint])
        allow(
            self.role,
            ["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"],
            [endpoint, configs],
            why="Both calls are also checked against the configuration that the endpoint shall use.",
        )
        allow(self.role, ["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:DeleteTags"], [endpoint])
        self._create(["sagemaker:AddTags"], [configs, endpoint])
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

    def _scale(self, *, scheduled: bool) -> None:
        """Application Auto Scaling registers with a role of its own, and keeps two alarms for each policy."""
        scalable = {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}}
        why = "A scalable target has no ARN before it is registered; the condition holds it to SageMaker's variants."
        calls = ["RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy"]
        looks = ["DescribeScalableTargets", "DescribeScalingPolicies"]
        if scheduled:
            calls += ["PutScheduledAction", "DeleteScheduledAction"]
            looks += ["DescribeScheduledActions"]
        targets = self._arn("application-autoscaling", "scalable-target", "*")
        allow(self.role, [f"application-autoscaling:{call}" for call in calls], [targets], why=why, conditions=scalable)
        allow(
            self.role,
            [f"application-autoscaling:{look}" for look in looks],
            ["*"],
            why="Describing scalable targets knows no resource.",
        )
        allow(
            self.role,
            ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
            [self._arn("cloudwatch", f"alarm:TargetTracking-endpoint/{self._served.endpoint_name}/*")],
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

    def _alarms(self, names: Sequence[str]) -> None:
        """Those that start the first instance; the alarms that roll a deployment back are not among them."""
        alarms = [self._arn("cloudwatch", f"alarm:{name}") for name in names]
        calls = ("PutMetricAlarm", "DeleteAlarms", "TagResource", "UntagResource", "ListTagsForResource")
        allow(self.role, [f"cloudwatch:{call}" for call in calls], alarms)

    def _schedule(self, schedules: ScheduleGroup) -> None:
        self._pass([schedules.role], "scheduler.amazonaws.com")
        allow(
            self.role,
            [f"scheduler:{verb}Schedule" for verb in ("Create", "Update", "Delete", "Get")],
            [self._arn("scheduler", "schedule", f"{schedules.name}/*")],
            why="The group holds the schedules of this one model, which CloudFormation names.",
        )

    def _monitor(self, monitors: Sequence[str]) -> None:
        schedule = f"{self._served.endpoint_name}-*"
        allow(
            self.role,
            [
                *(f"sagemaker:{verb}MonitoringSchedule" for verb in ("Create", "Update", "Delete", "Describe")),
                "sagemaker:StartMonitoringSchedule",
                "sagemaker:StopMonitoringSchedule",
                "sagemaker:AddTags",
            ],
            [self._arn("sagemaker", "monitoring-schedule", schedule)],
            why="The schedules are named after their endpoint.",
        )
        for call, resource in (DEFINITIONS[monitor] for monitor in monitors):
            definitions = [self._arn("sagemaker", resource, "*")]
            self._create([f"sagemaker:Create{call}", "sagemaker:AddTags"], definitions)
            self._change([f"sagemaker:Delete{call}"], definitions)
            self._see([f"sagemaker:Describe{call}"], definitions)

    def _create(self, actions: Sequence[str], resources: Sequence[str]) -> None:
        tagged = {f"aws:RequestTag/{key}": value for key, value in self._own.items()}
        allow(self.role, actions, resources, why=NAMED_BY_CLOUDFORMATION, conditions={"StringEquals": tagged})

    def _change(self, actions: Sequence[str], resources: Sequence[str]) -> None:
        tagged = {f"aws:ResourceTag/{key}": value for key, value in self._own.items()}
        allow(self.role, actions, resources, why=NAMED_BY_CLOUDFORMATION, conditions={"StringEquals": tagged})

    def _see(self, actions: Sequence[str], resources: Sequence[str]) -> None:
        why = "CloudFormation names these; describing one changes nothing."
        allow(self.role, actions, resources, why=why)

    def _pass(self, roles: Sequence[iam.IRole], service: str) -> None:
        allow(
            self.role,
            ["iam:PassRole"],
            [role.role_arn for role in roles],
            conditions={"StringEquals": {"iam:PassedToService": service}},
        )

    def _arn(self, service: str, resource: str, name: str | None = None) -> str:
        return cdk.Stack.of(self).format_arn(service=service, resource=resource, resource_name=name)
