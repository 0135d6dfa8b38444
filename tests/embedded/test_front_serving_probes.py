"""What is declared of serving and is not so is found out."""

from typing import Any

import pytest

from embedded import compared_serving
from embedded.probe import Missing, Resource
from embedded.server import EmbeddedAws
from tests.embedded.serving import BUCKET, Serving

KEY = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


def declared(physical_id: str, **properties: Any) -> Resource:
    return Resource(
        stack="probes",
        logical_id="Probed",
        type="any",
        physical_id=physical_id,
        properties=properties,
        condition=None,
        peers={},
        exports={},
    )


def test_a_configuration_is_compared_with_its_declaration(aws: EmbeddedAws, serving: Serving) -> None:
    name = "probes-config"
    output = {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/probes"}}
    variant = serving.variant(serving.model(name, "yes"))
    serving.config(name, variant, AsyncInferenceConfig=output)
    arn = f"arn:aws:sagemaker:eu-west-1:000000000000:endpoint-config/{name}"
    sound = {"ProductionVariants": [variant], "AsyncInferenceConfig": output}
    compared_serving.endpoint_config(aws.client, declared(arn, **sound))
    serverless = {"VariantName": "primary", "ServerlessConfig": {}}
    for lie, word in (
        ({**sound, "ProductionVariants": [serverless]}, "has no primary as declared"),
        ({**sound, "ProductionVariants": [{**variant, "VariantName": "other"}]}, "has no other"),
        ({"ProductionVariants": [variant]}, "differs in AsyncInferenceConfig"),
        ({**sound, "DataCaptureConfig": {}}, "differs in DataCaptureConfig"),
    ):
        with pytest.raises(Missing, match=word):
            compared_serving.endpoint_config(aws.client, declared(arn, **lie))


def test_a_target_and_its_policy_are_compared_with_their_declarations(aws: EmbeddedAws, serving: Serving) -> None:
    name, scaling = "probes-scaling", aws.client("application-autoscaling")
    with serving.endpoint(name, serving.config(name, serving.variant(serving.model(name, "yes")))):
        key = {**KEY, "ResourceId": f"endpoint/{name}/variant/primary"}
        scaling.register_scalable_target(**key, MinCapacity=1, MaxCapacity=3)
        arn = scaling.put_scaling_policy(
            **key,
            PolicyName="steps",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={"AdjustmentType": "ExactCapacity", "StepAdjustments": []},
        )["PolicyARN"]
        target = f"{key['ResourceId']}|{KEY['ScalableDimension']}|sagemaker"
        compared_serving.scalable_target(aws.client, declared(target, MaxCapacity=3))
        compared_serving.scaling_policy(aws.client, declared(arn, PolicyType="StepScaling"))
        with pytest.raises(Missing, match="0 scheduled actions of 1"):
            compared_serving.scalable_target(aws.client, declared(target, ScheduledActions=[{}]))
        with pytest.raises(Missing, match="may have 3 at most"):
            compared_serving.scalable_target(aws.client, declared(target, MaxCapacity=4))
        with pytest.raises(Missing, match="is of kind StepScaling"):
            compared_serving.scaling_policy(aws.client, declared(arn, PolicyType="TargetTrackingScaling"))
        with pytest.raises(Missing, match="no scaling policy"):
            compared_serving.scaling_policy(aws.client, declared("arn:nowhere"))
        scaling.deregister_scalable_target(**key)
        with pytest.raises(Missing, match="no scalable target"):
            compared_serving.scalable_target(aws.client, declared(target))
