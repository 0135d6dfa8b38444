"""Probes of how models are served: what is declared of an endpoint's configuration and scaling is really there."""

from embedded.probe import ClientFactory, Resource, require

_FORMS = ("AsyncInferenceConfig", "DataCaptureConfig", "KmsKeyId")


def endpoint_config(client: ClientFactory, resource: Resource) -> str:
    """It has the declared variants, each with instances or without, and the same forms of inference and capture."""
    name = resource.id.rpartition("/")[2]
    found = client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
    kinds = {variant["VariantName"]: "ServerlessConfig" in variant for variant in found["ProductionVariants"]}
    for declared in resource.properties["ProductionVariants"]:
        if "VariantName" in declared:  # one that stands under a condition may be absent
            serverless = "ServerlessConfig" in declared
            require(
                kinds.get(declared["VariantName"]) is serverless, f"{name} has no {declared['VariantName']} as declared"
            )
    for form in _FORMS:
        require((form in resource.properties) == (form in found), f"{name} differs in {form}")
    return "sagemaker describe_endpoint_config"


def scalable_target(client: ClientFactory, resource: Resource) -> str:
    """It is registered, within the declared bounds, with all of its scheduled actions."""
    resource_id, dimension, namespace = resource.id.split("|")
    scaling, key = client("application-autoscaling"), {"ServiceNamespace": namespace, "ScalableDimension": dimension}
    found = scaling.describe_scalable_targets(**key, ResourceIds=[resource_id])["ScalableTargets"]
    require(found, f"there is no scalable target {resource.id}")
    actions = scaling.describe_scheduled_actions(**key, ResourceId=resource_id)["ScheduledActions"]
    declared = resource.properties.get("ScheduledActions", [])
    require(len(actions) == len(declared), f"{resource.id} has {len(actions)} scheduled actions of {len(declared)}")
    wanted = resource.literal("MaxCapacity")
    require(wanted in (None, found[0]["MaxCapacity"]), f"{resource.id} may have {found[0]['MaxCapacity']} at most")
    return "application-autoscaling describe_scalable_targets, describe_scheduled_actions"


def scaling_policy(client: ClientFactory, resource: Resource) -> str:
    """It is there, and is of the declared kind."""
    found = client("application-autoscaling").describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    kinds = {policy["PolicyARN"]: policy["PolicyType"] for policy in found}
    require(resource.id in kinds, f"there is no scaling policy {resource.id}")
    wanted = resource.literal("PolicyType")
    require(wanted in (None, kinds[resource.id]), f"{resource.id} is of kind {kinds[resource.id]}, not {wanted}")
    return "application-autoscaling describe_scaling_policies"
