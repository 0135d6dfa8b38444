"""What answers requests now."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from cli.stacks import Platform


@dataclass(frozen=True, kw_only=True)
class Serving:
    """The endpoint and the version behind it; None while no version is served.

    A version that answers in batches has no endpoint: `endpoint` is what the ledger calls it, and `config` its model.
    """

    endpoint: str
    status: str
    config: str | None
    package_arn: str | None
    capture_uri: str
    ground_truth_uri: str


def serving(platform: Platform) -> Serving:
    """The state of the model's endpoint."""
    platform.refresh()
    name, model = platform.output("serving", "EndpointName"), platform.optional("serving", "ModelName")
    status, config = ("answering in batches", model) if model else ("not created", None)
    try:
        endpoint = platform.client("sagemaker").describe_endpoint(EndpointName=name)
        status, config = endpoint["EndpointStatus"], endpoint.get("EndpointConfigName")
    except ClientError as error:
        if "Could not find" not in str(error):
            raise
    return Serving(
        endpoint=name,
        status=status,
        config=config,
        package_arn=platform.optional("serving", "ServedModelPackageArn"),
        capture_uri=platform.output("serving", "CaptureUri"),
        ground_truth_uri=platform.output("serving", "GroundTruthUri"),
    )
