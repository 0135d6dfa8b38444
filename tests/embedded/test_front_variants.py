"""Variants of embedded AWS's endpoints: shared by weight, in the shadow, without servers."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws
from tests.embedded.serving import BUCKET, ROLE, Serving

CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
}


def test_weights_share_requests_among_variants(serving: Serving) -> None:
    name = "variants-weighed"
    heavy = serving.variant(serving.model(f"{name}-heavy", "heavy"), "heavy", InitialVariantWeight=9.0)
    light = serving.variant(serving.model(f"{name}-light", "light"), "light", InitialVariantWeight=1.0)
    with serving.endpoint(name, serving.config(name, heavy, light)):
        answers = [serving.ask(name) for _ in range(60)]
        # 54 are expected; fewer than 40 is less likely than one in a million.
        assert answers.count("heavy") >= 40
        assert serving.ask(name, TargetVariant="light") == "light"
        weights = [{"VariantName": "heavy", "DesiredWeight": 0.0}]
        serving.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=weights)
        assert {serving.ask(name) for _ in range(10)} == {"light"}


def test_a_shadow_gets_copies_and_answers_nobody(serving: Serving) -> None:
    name = "variants-shadowed"
    production = serving.variant(serving.model(f"{name}-production", "production"))
    shadow = serving.variant(serving.model(f"{name}-shadow", "shadow"), "shadow")
    capture = {**CAPTURE, "DestinationS3Uri": f"s3://{BUCKET}/{name}"}
    config = serving.config(name, production, ShadowProductionVariants=[shadow], DataCaptureConfig=capture)
    with serving.endpoint(name, config):
        [described] = serving.sagemaker.describe_endpoint(EndpointName=name)["ShadowProductionVariants"]
        assert described["VariantName"] == "shadow"
        assert {serving.ask(name) for _ in range(5)} == {"production"}
        with pytest.raises(ClientError, match="ModelError"):
            serving.ask(name, "boom")
        with pytest.raises(ClientError, match="was not found"):
            serving.ask(name, TargetVariant="shadow")
        named = {"EndpointName": name, "VariantName": "shadow"}
        assert serving.eventually(lambda: serving.measured("Invocations", **named) == 6)
        assert serving.measured("Invocation5XXErrors", **named) == 1
        assert serving.measured("OverheadLatency", **named) is None
        assert (serving.measured("ModelLatency", **named) or 0) > 0
        captured = serving.eventually(lambda: serving.under(f"{name}/{name}/shadow/"))
        lines = [json.loads(line) for body in captured.values() for line in body.splitlines()]
        assert {line["captureData"]["endpointOutput"]["data"] for line in lines} == {"shadow"}


def test_a_shadow_of_no_weight_gets_nothing(serving: Serving) -> None:
    name = "variants-unsampled"
    production = serving.variant(serving.model(f"{name}-production", "production"))
    shadow = serving.variant(serving.model(f"{name}-shadow", "shadow"), "shadow", InitialVariantWeight=0.0)
    with serving.endpoint(name, serving.config(name, production, ShadowProductionVariants=[shadow])):
        for _ in range(5):
            serving.ask(name)
        named = {"EndpointName": name, "VariantName": "primary"}
        assert serving.eventually(lambda: serving.measured("Invocations", **named) == 5)
        assert serving.measured("Invocations", EndpointName=name, VariantName="shadow") is None


def serverless(model: str, **settings: Any) -> dict[str, Any]:
    size = {"MemorySizeInMB": 2048, "MaxConcurrency": 1, **settings}
    return {"VariantName": "primary", "ModelName": model, "ServerlessConfig": size}


def attempt(serving: Serving, endpoint: str, body: str) -> Any:
    """The answer, or the code and the status of the refusal."""
    try:
        return serving.ask(endpoint, body)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_serverless_endpoint_answers_up_to_its_concurrency(serving: Serving) -> None:
    name = "variants-serverless"
    with serving.endpoint(name, serving.config(name, serverless(serving.model(name, "yes")))):
        [variant] = serving.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
        assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
        assert "CurrentInstanceCount" not in variant
        assert serving.ask(name) == "yes"
        with ThreadPoolExecutor(max_workers=3) as pool:
            outcomes = list(pool.map(lambda body: attempt(serving, name, body), ["slow 0.5"] * 3))
        assert "yes" in outcomes
        assert ("ThrottlingException", 429) in outcomes
        assert serving.ask(name) == "yes"
        wanted = {"VariantName": "primary", "DesiredInstanceCount": 2}
        with pytest.raises(ClientError, match="serverless and has no instances"):
            serving.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=name, DesiredWeightsAndCapacities=[wanted]
            )


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("DataCaptureConfig is not supported", lambda s, m: {"DataCaptureConfig": {**CAPTURE, **_destination()}}),
        ("exactly one production variant", lambda s, m: {"ProductionVariants": [serverless(m), s.variant(m, "two")]}),
        ("exactly one production variant", lambda s, m: {"ShadowProductionVariants": [s.variant(m, "two")]}),
        ("AsyncInferenceConfig is not supported", lambda s, m: {"AsyncInferenceConfig": {"OutputConfig": {}}}),
        ("multiple of 1024", lambda s, m: {"ProductionVariants": [serverless(m, MemorySizeInMB=1500)]}),
        ("cannot have InstanceType", lambda s, m: {"ProductionVariants": [{**s.variant(m), **serverless(m)}]}),
        ("must not be greater", lambda s, m: {"ProductionVariants": [serverless(m, ProvisionedConcurrency=2)]}),
        ("has a VpcConfig", lambda s, m: {"ProductionVariants": [serverless("variants-refused-vpc")]}),
        ("has network isolation", lambda s, m: {"ProductionVariants": [serverless("variants-refused-isolated")]}),
        ("Could not find model", lambda s, m: {"ProductionVariants": [serverless("variants-nowhere")]}),
    ],
)
def test_what_serverless_endpoints_do_not_support_is_refused(
    serving: Serving, word: str, change: Callable[[Serving, str], dict[str, Any]]
) -> None:
    model = "variants-refused"
    models = {item["ModelName"] for item in serving.sagemaker.list_models(NameContains=model)["Models"]}
    if not models:
        serving.model(model, "yes")
        vpc = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
        serving.sagemaker.create_model(ModelName=f"{model}-vpc", ExecutionRoleArn=ROLE, VpcConfig=vpc)
        serving.sagemaker.create_model(
            ModelName=f"{model}-isolated", ExecutionRoleArn=ROLE, EnableNetworkIsolation=True
        )
    request = {"ProductionVariants": [serverless(model)], **change(serving, model)}
    with pytest.raises(ClientError, match=rf"ValidationException.*{word}"):
        serving.sagemaker.create_endpoint_config(EndpointConfigName="variants-refused", **request)


def _destination() -> dict[str, str]:
    return {"DestinationS3Uri": f"s3://{BUCKET}/nowhere"}


@pytest.mark.parametrize(
    ("word", "changes"),
    [
        ("one production variant and one shadow", {"variants": 2}),
        ("asynchronous", {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/x"}}}),
        ("names of variants must be unique", {"shadow": "primary"}),
    ],
)
def test_what_shadows_do_not_support_is_refused(serving: Serving, word: str, changes: dict[str, Any]) -> None:
    model = "variants-shadow-refused"
    if not serving.sagemaker.list_models(NameContains=model)["Models"]:
        serving.model(model, "yes")
    names = ("primary", "second")[: changes.pop("variants", 1)]
    shadow = serving.variant(model, changes.pop("shadow", "shadow"))
    variants = [serving.variant(model, name) for name in names]
    with pytest.raises(ClientError, match=rf"ValidationException.*{word}"):
        serving.config(model, *variants, ShadowProductionVariants=[shadow], **changes)


TELLING = """print(__import__("json").dumps({{
        "_aws": {{"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{{
            "Namespace": "Front/Told", "Dimensions": [["EndpointName"]],
            "Metrics": [{{"Name": "MeanAnswer", "Unit": "None"}}]}}]}},
        "EndpointName": "variants-telling", "MeanAnswer": 0.25}}), flush=True)"""


def test_metrics_that_a_container_prints_become_metrics(aws: EmbeddedAws, serving: Serving) -> None:
    name, cloudwatch = "variants-telling", aws.client("cloudwatch")
    telling = TELLING.format()
    with serving.endpoint(name, serving.config(name, serving.variant(serving.model(name, "yes", telling=telling)))):
        serving.ask(name)
        found = serving.eventually(lambda: cloudwatch.list_metrics(Namespace="Front/Told")["Metrics"])
    assert found[0]["Dimensions"] == [{"Name": "EndpointName", "Value": name}]
