"""What another environment has to know of this one to take its versions from here."""

from typing import Any

from cli.connection import Connection
from cli.errors import BatonError
from cli.stacks import Platform, deployed_models


def shared_registry(connection: Connection, environment: str) -> dict[str, Any]:
    """The key `registry` of another environment's file, as it would have to be to take versions from `environment`.

    Raises:
        BatonError: Nothing is deployed there, or its models are trained elsewhere.
    """
    models = deployed_models(connection, environment)
    if not models:
        raise BatonError(f"no model is deployed in {environment}; deploy with: make deploy ENV={environment}")
    platforms = [Platform(connection, environment, model) for model in models]
    lake = platforms[0]
    return {
        "from": environment,
        "models_bucket": lake.output("data-lake", "ModelsBucketName"),
        "evidence_bucket": lake.output("data-lake", "EvidenceBucketName"),
        "models_key": _key(lake, "data-lake", "KeysModels"),
        "signing_keys": {platform.model: _key(platform, "training", "PipelineSignerKey") for platform in platforms},
    }


def _key(platform: Platform, part: str, beginning: str) -> str:
    """The ARN of the one key of a stack whose logical id begins like this; the stacks tell no other name of it."""
    beside = platform.output("data-lake", "NotificationTopicArn").split(":")
    pages = (
        platform.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=platform.stack_name(part))
    )
    [key] = [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::KMS::Key" and resource["LogicalResourceId"].startswith(beginning)
    ]
    _, partition, _, region, account = beside[:5]
    return f"arn:{partition}:kms:{region}:{account}:key/{key}"
