"""From one prediction back to everything and everybody that made it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from cli import capture, ledger, registry
from cli.errors import BatonError
from cli.serving import serving
from cli.stacks import Platform
from cli.storage import read_json


@dataclass(frozen=True, kw_only=True)
class Station:
    """One station on the way back: what it is, its name, and what is known of it."""

    kind: str
    name: str
    facts: dict[str, str]


def trace(platform: Platform, inference_id: str, *, hours: int = 24) -> list[Station]:
    """The way back of one prediction, from its capture record to the people.

    Raises:
        BatonError: The prediction was not captured, or a link of the chain is missing.
    """
    served = serving(platform)
    prediction = capture.find(platform, served, inference_id, hours=hours)
    config, model, package_arn = _served_then(platform, prediction)
    version = registry.describe(platform, package_arn)
    return [
        Station(
            kind="prediction",
            name=inference_id,
            facts={
                "time": prediction.time,
                "request": prediction.request,
                "answer": prediction.answer,
                "captured": prediction.uri,
            },
        ),
        Station(kind="endpoint", name=prediction.endpoint, facts={"variant": prediction.variant}),
        Station(kind="endpoint config", name=config, facts={}),
        Station(kind="model", name=model, facts={"image": version.image}),
        Station(
            kind="package version",
            name=f"{platform.model} version {version.number}",
            facts={"arn": version.arn, "status": version.status, "artifact_sha256": version.artifact_sha256},
        ),
        _execution(platform, version),
        _dataset(platform, version),
        Station(kind="code", name=version.commit, facts={"author": version.author}),
        Station(
            kind="approval",
            name=version.decided_by or "unknown",
            facts={"decision": version.status, "comment": version.comment},
        ),
    ]


def _served_then(platform: Platform, prediction: capture.Prediction) -> tuple[str, str, str]:
    """Endpoint config, model and model package behind an endpoint at the moment of a prediction."""
    client = platform.client("sagemaker")
    endpoint = client.describe_endpoint(EndpointName=prediction.endpoint)
    if endpoint["LastModifiedTime"].astimezone(UTC) > prediction.moment:
        # The endpoint has moved on since; CloudFormation deleted the config of then, but the ledger remembers it.
        entry = ledger.served_at(platform, prediction.endpoint, prediction.moment)
        if entry is None:
            raise BatonError(
                f"endpoint {prediction.endpoint} was changed after this prediction of {prediction.time}, "
                "and the ledger names no version that was proven to serve before it"
            )
        return entry.config_name, "replaced since", entry.package_arn
    config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = next(
        entry["ModelName"] for entry in config["ProductionVariants"] if entry["VariantName"] == prediction.variant
    )
    described = client.describe_model(ModelName=model)
    containers = described.get("Containers") or [described["PrimaryContainer"]]
    return endpoint["EndpointConfigName"], model, containers[0]["ModelPackageName"]


def _execution(platform: Platform, version: registry.Version) -> Station:
    facts = {"reason": version.reason}
    try:
        described: dict[str, Any] = platform.client("sagemaker").describe_pipeline_execution(
            PipelineExecutionArn=version.execution
        )
        started: datetime = described["CreationTime"]
        facts |= {"status": described["PipelineExecutionStatus"], "started": f"{started:%Y-%m-%d %H:%M:%S}"}
    except ClientError:
        facts["status"] = "no longer kept by SageMaker"
    return Station(kind="pipeline execution", name=version.execution, facts=facts)


def _dataset(platform: Platform, version: registry.Version) -> Station:
    uri = f"{version.dataset_uri.rstrip('/')}/_manifest.json"
    manifest = read_json(platform.connection, uri)
    facts = {"manifest": uri}
    if manifest is None:
        facts["check"] = "the manifest is gone"
    else:
        same = manifest["dataset_hash"] == version.dataset_hash
        facts |= {
            "rows": str(manifest["rows"]),
            "as_of": manifest["as_of"],
            "check": "the manifest's hash is the version's"
            if same
            else f"the manifest now says {manifest['dataset_hash']}",
        }
    return Station(kind="dataset", name=version.dataset_hash, facts=facts)
