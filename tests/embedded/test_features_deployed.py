"""The deployed function and its job, on embedded AWS: from the pointer to a data set to records that are looked up."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embedded import deployment
from embedded.inventory import describe
from embedded.server import EmbeddedAws
from tests.runtime.churn import customers, write_dataset

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


def publish(aws: EmbeddedAws, folder: Path) -> None:
    """A data set as the ETL job leaves it, and the pointer to it."""
    write_dataset(folder, customers(ROWS))
    [manifest] = folder.glob("*manifest.json")
    content = {"run_id": RUN, "created_at": "2026-11-24T02:15:00Z", **json.loads(manifest.read_text())}
    manifest.write_text(json.dumps(content), encoding="utf-8")
    bucket, s3 = outputs(aws, "data-lake")["CuratedBucketName"], aws.client("s3")
    for path in folder.iterdir():
        s3.upload_file(str(path), bucket, f"bank_churn/runs/{RUN}/{path.name}")
    pointer = {"run_id": RUN, "dataset_uri": f"s3://{bucket}/bank_churn/runs/{RUN}/"}
    s3.put_object(Bucket=bucket, Key="bank_churn/current.json", Body=json.dumps(pointer).encode())


def test_the_function_starts_one_job_that_puts_every_row_into_the_group(
    aws: EmbeddedAws, deployed: Any, eventually: Callable[..., Any], tmp_path: Path
) -> None:
    publish(aws, tmp_path / "dataset")
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
