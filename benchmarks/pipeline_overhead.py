"""What the pipeline costs beyond its steps: an execution's time, against the time in which its containers ran."""

from collections.abc import Iterator
from typing import Any

import boto3

from benchmarks.deployed import demo
from benchmarks.measurement import Measurement

ROWS = 10_000
COMMAND = "python -m benchmarks pipeline_overhead"
JOBS = {"ProcessingJob": "Processing", "TrainingJob": "Training"}


def measure() -> Iterator[Measurement]:
    """Play the demo and look at the execution that made its first version."""
    with demo(rows=ROWS) as deployed:
        names = {key.lower(): value for key, value in deployed.environment.items()}
        client = boto3.client(
            "sagemaker",
            endpoint_url=names["aws_endpoint_url"],
            region_name=names["aws_region"],
            aws_access_key_id=names["aws_access_key_id"],
            aws_secret_access_key=names["aws_secret_access_key"],
        )
        [first, *_] = client.list_model_packages(
            ModelPackageGroupName="baton-dev-bank-churn", SortOrder="Ascending", SortBy="CreationTime"
        )["ModelPackageSummaryList"]
        package = client.describe_model_package(ModelPackageName=first["ModelPackageArn"])
        yield _measured(client, package["CustomerMetadataProperties"]["pipeline_execution"])


def _measured(client: Any, execution_arn: str) -> Measurement:
    steps = client.list_pipeline_execution_steps(PipelineExecutionArn=execution_arn)["PipelineExecutionSteps"]
    began, ended = min(step["StartTime"] for step in steps), max(step["EndTime"] for step in steps)
    wall = (ended - began).total_seconds()
    compute = {step["StepName"]: seconds for step in steps if (seconds := _ran(client, step)) is not None}
    return Measurement(
        name="pipeline_overhead_ratio",
        value=round(wall / sum(compute.values()), 3),
        unit="of the containers' time",
        command=COMMAND,
        detail={"rows": ROWS, "wall_s": round(wall, 2), "containers_s": {k: round(v, 2) for k, v in compute.items()}},
    )


def _ran(client: Any, step: dict[str, Any]) -> float | None:
    """How long the step's container ran, in seconds; None of a step without one."""
    for kind, prefix in JOBS.items():
        if kind in step["Metadata"]:
            name = step["Metadata"][kind]["Arn"].rpartition("/")[2]
            job = getattr(client, f"describe_{prefix.lower()}_job")(**{f"{kind}Name": name})
            return float((job[f"{prefix}EndTime"] - job[f"{prefix}StartTime"]).total_seconds())
    return None
