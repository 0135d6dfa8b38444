"""The deployed function and its job, on embedded AWS: from the pointer to a data set to records that are looked up."""

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from embedded import deployment
from embedded.inventory import describe
from embedded.server import EmbeddedAws
from tests.runtime.churn import customers

ROWS = 300
RUN = "20261124T021000Z-0badcafe"


@pytest.fixture(scope="module")
def deployed(aws: EmbeddedAws, assembly: Any) -> Any:
    """The data lake and the features stack of dev, as the stock command line deploys them."""
    deployment.bootstrap(aws, report=lambda line: None)
    deployment.deploy(aws, assembly=assembly.folder, stacks=["dev/BankChurnFeatures"], report=lambda line: None)
    return assembly


def outputs(aws: EmbeddedAws, stack: str) -> dict[str, str]:
    described = aws.client("cloudformation").describe_stacks(StackName=f"baton-dev-{stack}")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def publish(aws: EmbeddedAws) -> None:
    """A data set as the ETL job leaves it."""
    bucket, content = outputs(aws, "data-lake")["CuratedBucketName"], io.BytesIO()
    customers(ROWS).to_parquet(content, index=False)
    body = content.getvalue()
    manifest = {
        "run_id": RUN,
        "created_at": "2026-11-24T02:15:00Z",
        "files": [{"name": "part-0.parquet", "sha256": hashlib.sha256(body).hexdigest()}],
    }
    pointer = {"run_id": RUN, "dataset_uri": f"s3://{bucket}/bank_churn/runs/{RUN}/"}
    objects = {
        f"runs/{RUN}/part-0.parquet": body,
        f"runs/{RUN}/manifest.json": json.dumps(manifest).encode(),
        "current.json": json.dumps(pointer).encode(),
    }
    for key, data in objects.items():
        aws.client("s3").put_object(Bucket=bucket, Key=f"bank_churn/{key}", Body=data)


def test_the_function_starts_one_job_that_puts_every_row_into_the_group(
    aws: EmbeddedAws, deployed: Any, eventually: Callable[..., Any]
) -> None:
    publish(aws)
    stack = outputs(aws, "bank-churn-features")

    def start() -> dict[str, str]:
        answer = aws.client("lambda").invoke(FunctionName=stack["StartFeaturesFunctionName"], Payload=b"{}")
        content: dict[str, str] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, content
        return content

    started = start()
    assert started["dataset_run"] == RUN
    assert start() == started, "a second call starts nothing"

    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = aws.client("sagemaker").describe_processing_job(ProcessingJobName=started["job_name"])
        return None if job["ProcessingJobStatus"] == "InProgress" else job

    job = eventually(ended, within=180)
    assert job["ProcessingJobStatus"] == "Completed", job
    assert f"{ROWS} records of run {RUN} are in {stack['FeatureGroupName']}" in job["ExitMessage"]
    runtime = aws.client("sagemaker-featurestore-runtime")
    [last] = customers(ROWS).tail(1).to_dict("records")
    got = runtime.get_record(
        FeatureGroupName=stack["FeatureGroupName"], RecordIdentifierValueAsString=str(last["customer_ref"])
    )
    values = {item["FeatureName"]: item["ValueAsString"] for item in got["Record"]}
    assert float(values["estimated_salary"]) == last["estimated_salary"]
    assert values["dataset_run"] == RUN


def test_the_group_is_described_back_as_the_template_has_it(aws: EmbeddedAws, deployed: Any) -> None:
    rows = [
        row for row in describe(aws, deployed.folder / "assembly-dev") if row.type == "AWS::SageMaker::FeatureGroup"
    ]
    assert [row.described for row in rows] == [True]
