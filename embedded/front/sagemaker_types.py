"""The SageMaker resource types, each over SageMaker's own API."""

import time
from collections.abc import Mapping
from typing import Any

from embedded.front.feature_group_update import extend_feature_group
from embedded.front.resource_type import (
    ApiCall,
    ClientFactory,
    Properties,
    ResourceType,
    only,
    renamed,
    unchanged,
    without,
)

_DEPLOYMENT_LIMIT = 180


class DeploymentFailed(Exception):
    """An endpoint did not come up with the configuration it was given."""


def _wait_for_endpoint(client: ClientFactory, properties: Properties) -> None:
    """Wait until the endpoint serves the configuration of its template.

    Raises:
        DeploymentFailed: It rolled back, failed, or took too long.
    """
    name, wanted = properties["EndpointName"], properties["EndpointConfigName"].rpartition("/")[2]
    deadline = time.monotonic() + _DEPLOYMENT_LIMIT
    while time.monotonic() < deadline:
        endpoint = client("sagemaker").describe_endpoint(EndpointName=name)
        status = endpoint["EndpointStatus"]
        if status == "InService" and endpoint["EndpointConfigName"] == wanted:
            return
        if status in ("InService", "Failed", "UpdateRollbackFailed"):
            reason = endpoint.get("FailureReason", "no reason was given")
            raise DeploymentFailed(f"Endpoint {name} is {status} without {wanted}: {reason}")
        time.sleep(0.1)
    raise DeploymentFailed(f"Endpoint {name} was not in service within {_DEPLOYMENT_LIMIT} s.")


def _put_group_policy(client: ClientFactory, properties: Properties) -> None:
    """A group's policy is a property of the type and a call of its own in the API."""
    policy = properties.get("ModelPackageGroupPolicy")
    if policy is not None:
        ApiCall(
            operation="PutModelPackageGroupPolicy",
            adapt=lambda p: {
                "ModelPackageGroupName": p["ModelPackageGroupName"],
                "ResourcePolicy": p["ModelPackageGroupPolicy"],
            },
        )(client("sagemaker"), properties)


def _pipeline_input(properties: Properties) -> Properties:
    """The definition is wrapped in an object by the type, and is text or an S3 location in the API."""
    definition = properties["PipelineDefinition"]
    rest = without("PipelineDefinition")(properties)
    if "PipelineDefinitionBody" in definition:
        return {**rest, "PipelineDefinition": definition["PipelineDefinitionBody"]}
    place = renamed({"Key": "ObjectKey", "Version": "VersionId"})(definition["PipelineDefinitionS3Location"])
    return {**rest, "PipelineDefinitionS3Location": without("ETag")(place)}


def _config_reference(properties: Properties) -> Properties:
    """`Ref` of a configuration and of a model is an ARN, where the API takes the name."""
    return {
        **properties,
        "EndpointConfigName": properties["EndpointConfigName"].rpartition("/")[2],
    }


def _model_references(properties: Properties) -> Properties:
    members: list[str] = [name for name in ("ProductionVariants", "ShadowProductionVariants") if name in properties]
    named: Properties = {name: [_model_reference(variant) for variant in properties[name]] for name in members}
    return {**properties, **named}


def _model_reference(variant: Properties) -> Properties:
    return {**variant, "ModelName": variant["ModelName"].rpartition("/")[2]} if "ModelName" in variant else variant


def _arn(key: str) -> Any:
    def identify(properties: Properties, response: Mapping[str, Any]) -> str:
        return str(response[key])

    return identify


def _plain(noun: str, name_key: str, arn_key: str, path: str, *, adapt: Any = unchanged) -> ResourceType:
    """A type whose every change but that of tags replaces it."""
    return ResourceType(
        name=f"AWS::SageMaker::{noun}",
        service="sagemaker",
        create=ApiCall(operation=f"Create{noun}", adapt=adapt),
        delete=ApiCall(operation=f"Delete{noun}", adapt=only(name_key)),
        identify=_arn(arn_key),
        attributes=lambda p, r: {name_key: p[name_key], arn_key: r[arn_key]},
        name_property=name_key,
        arn=(arn_key, path),
    )


def _job_definition(monitor: str, path: str) -> ResourceType:
    definition = ("JobDefinitionName", "JobDefinitionArn")
    return _plain(f"{monitor}JobDefinition", *definition, f"{path}-job-definition", adapt=without("EndpointName"))


# Properties of the type that report a schedule's state; the API takes none of them.
_SCHEDULE_STATE = (
    "EndpointName",
    "FailureReason",
    "LastMonitoringExecutionSummary",
    "MonitoringScheduleStatus",
)
_ENDPOINT_CREATE = ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties", "RetainDeploymentConfig")

ENDPOINT = ResourceType(
    name="AWS::SageMaker::Endpoint",
    service="sagemaker",
    create=ApiCall(operation="CreateEndpoint", adapt=lambda p: _config_reference(without(*_ENDPOINT_CREATE)(p))),
    update=ApiCall(operation="UpdateEndpoint", adapt=lambda p: _config_reference(without("Tags")(p))),
    delete=ApiCall(operation="DeleteEndpoint", adapt=only("EndpointName")),
    identify=_arn("EndpointArn"),
    attributes=lambda p, r: {"EndpointName": p["EndpointName"], "EndpointArn": r["EndpointArn"]},
    name_property="EndpointName",
    immutable=("EndpointName",),
    arn=("EndpointArn", "endpoint"),
    settle=_wait_for_endpoint,
)

PIPELINE = ResourceType(
    name="AWS::SageMaker::Pipeline",
    service="sagemaker",
    create=ApiCall(operation="CreatePipeline", adapt=_pipeline_input),
    update=ApiCall(operation="UpdatePipeline", adapt=lambda p: _pipeline_input(without("Tags")(p))),
    delete=ApiCall(operation="DeletePipeline", adapt=only("PipelineName")),
    identify=lambda p, r: str(p["PipelineName"]),
    attributes=lambda p, r: {"PipelineName": p["PipelineName"], "PipelineArn": r["PipelineArn"]},
    name_property="PipelineName",
    name_length=256,
    immutable=("PipelineName",),
    arn=("PipelineArn", "pipeline"),
)

PACKAGE_GROUP = ResourceType(
    name="AWS::SageMaker::ModelPackageGroup",
    service="sagemaker",
    create=ApiCall(operation="CreateModelPackageGroup", adapt=without("ModelPackageGroupPolicy")),
    delete=ApiCall(operation="DeleteModelPackageGroup", adapt=only("ModelPackageGroupName")),
    identify=_arn("ModelPackageGroupArn"),
    attributes=lambda p, r: {
        "ModelPackageGroupArn": r["ModelPackageGroupArn"],
        "ModelPackageGroupName": p["ModelPackageGroupName"],
        "ModelPackageGroupStatus": "Completed",
    },
    name_property="ModelPackageGroupName",
    immutable=("ModelPackageGroupName", "ModelPackageGroupDescription"),
    arn=("ModelPackageGroupArn", "model-package-group"),
    complete=_put_group_policy,
)

SCHEDULE = ResourceType(
    name="AWS::SageMaker::MonitoringSchedule",
    service="sagemaker",
    create=ApiCall(operation="CreateMonitoringSchedule", adapt=without(*_SCHEDULE_STATE)),
    update=ApiCall(operation="UpdateMonitoringSchedule", adapt=without(*_SCHEDULE_STATE, "Tags")),
    delete=ApiCall(operation="DeleteMonitoringSchedule", adapt=only("MonitoringScheduleName")),
    identify=_arn("MonitoringScheduleArn"),
    attributes=lambda p, r: {
        "MonitoringScheduleArn": r["MonitoringScheduleArn"],
        "MonitoringScheduleName": p["MonitoringScheduleName"],
    },
    name_property="MonitoringScheduleName",
    immutable=("MonitoringScheduleName",),
    arn=("MonitoringScheduleArn", "monitoring-schedule"),
)

FEATURE_GROUP = ResourceType(
    name="AWS::SageMaker::FeatureGroup",
    service="sagemaker",
    create=ApiCall(operation="CreateFeatureGroup"),
    delete=ApiCall(operation="DeleteFeatureGroup", adapt=only("FeatureGroupName")),
    identify=lambda p, r: str(p["FeatureGroupName"]),
    attributes=lambda p, r: {"FeatureGroupStatus": "Created"},
    name_property="FeatureGroupName",
    name_length=64,
    immutable=(
        "FeatureGroupName",
        "RecordIdentifierFeatureName",
        "EventTimeFeatureName",
        "OfflineStoreConfig",
        "RoleArn",
        "Description",
    ),
    arn=("FeatureGroupArn", "feature-group"),
    complete=extend_feature_group,
)

SAGEMAKER_TYPES = (
    _plain("Model", "ModelName", "ModelArn", "model"),
    _plain("EndpointConfig", "EndpointConfigName", "EndpointConfigArn", "endpoint-config", adapt=_model_references),
    _job_definition("DataQuality", "data-quality"),
    _job_definition("ModelQuality", "model-quality"),
    _job_definition("ModelBias", "model-bias"),
    _job_definition("ModelExplainability", "model-explainability"),
    ENDPOINT,
    PIPELINE,
    PACKAGE_GROUP,
    SCHEDULE,
    FEATURE_GROUP,
)
