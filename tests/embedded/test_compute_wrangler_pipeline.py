"""A flow in the pipeline of embedded AWS: from a data set, through the flow, to the three sides of the split."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from baton.foundation.images import images_in
from baton.specification.flow import dataset_name, read_flow
from baton.specification.model import ModelSpecification
from baton.training.definition import PipelineDefinition
from baton.training.model_pipeline import DATASET_URI, preprocess_step
from baton.training.workplace import Code
from baton.training.wrangler_step import wrangle_step
from embedded.server import EmbeddedAws
from tests.infrastructure.pipeline_samples import CODE_FILE, REGION, ROOT, sample_model, sample_workplace
from tests.runtime.churn import customers, write_dataset

BUCKET = "compute-wrangler"
FLOW = ROOT / "config" / "flows" / "bank_churn_cleaning.flow"
ROLE = "arn:aws:iam::000000000000:role/any"


@pytest.fixture(scope="module")
def lake(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """A bucket with a data set that needs cleaning, the code, and the flow; gives the data set's rows."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.region})
    frame = customers(1_200)
    frame["country"] = "  " + frame["country"] + " "
    frame["credit_score"] = frame["credit_score"].astype("float64").where(frame["customer_ref"] % 10 != 0)
    frame.loc[frame["customer_ref"] == 7, "estimated_salary"] = 9e9
    frame = pd.concat([frame, frame.head(50)], ignore_index=True)
    folder = tmp_path_factory.mktemp("lake") / "dataset"
    write_dataset(folder, frame)
    for path in folder.iterdir():
        s3.upload_file(str(path), BUCKET, f"dataset/{path.name}")
    s3.put_object(Bucket=BUCKET, Key=f"code/{CODE_FILE}", Body=code(sample_model()))
    s3.put_object(Bucket=BUCKET, Key="wheels/none.zip", Body=zipped({}))
    s3.upload_file(str(FLOW), BUCKET, "flow/good.flow")
    content = json.loads(FLOW.read_text())
    content["nodes"][4]["operator"] = "sagemaker.spark.custom_pyspark_0.1"
    s3.put_object(Bucket=BUCKET, Key="flow/custom.flow", Body=json.dumps(content).encode())
    return frame


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def code(model: ModelSpecification) -> bytes:
    scripts = {str(path.relative_to(ROOT)): path.read_bytes() for path in (ROOT / "pipeline_scripts").rglob("*.py")}
    specification = json.dumps(model.model_dump(mode="json")).encode()
    return zipped({**scripts, "pipeline_scripts/model.json": specification})


def definition(flow_file: str) -> dict[str, Any]:
    """Wrangle and Preprocess, as the pipeline has them."""
    place = f"s3://{BUCKET}"
    workplace = replace(
        sample_workplace(),
        job_role_arn=ROLE,
        code=Code(s3_uri=f"{place}/code/{CODE_FILE}", file=CODE_FILE, wheels_s3_uri=f"{place}/wheels/none.zip"),
        features_uri=f"{place}/features",
    )
    flow = read_flow(FLOW)
    end = flow.end(None)
    image = images_in(REGION).data_wrangler
    assert image is not None
    wrangle = wrangle_step(
        workplace,
        image=image,
        flow_s3_uri=f"{place}/flow/{flow_file}",
        node_id=end.node_id,
        dataset_name=dataset_name(flow.way_to(end)),
        dataset=DATASET_URI.value,
        instance_type="ml.m5.4xlarge",
    )
    steps = (wrangle, preprocess_step(workplace, wrangle))
    return PipelineDefinition(parameters=(DATASET_URI,), steps=steps).render()


def execute(aws: EmbeddedAws, flow_file: str, eventually: Callable[..., Any]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Run the two steps to their end; gives the execution's id and the steps by name."""
    sagemaker = aws.client("sagemaker")
    name = f"wrangler-{flow_file.partition('.')[0]}"
    sagemaker.create_pipeline(PipelineName=name, RoleArn=ROLE, PipelineDefinition=json.dumps(definition(flow_file)))
    arn = sagemaker.start_pipeline_execution(
        PipelineName=name, PipelineParameters=[{"Name": "DatasetUri", "Value": f"s3://{BUCKET}/dataset/"}]
    )["PipelineExecutionArn"]

    def ended() -> bool:
        execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        return execution["PipelineExecutionStatus"] in ("Succeeded", "Failed", "Stopped")

    assert eventually(ended, within=240)
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return arn.rpartition("/")[2], {step["StepName"]: step for step in steps}


def side(aws: EmbeddedAws, execution: str, name: str) -> pd.DataFrame:
    key = f"features/{execution}/{name}/{name}.parquet"
    return pd.read_parquet(io.BytesIO(aws.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()))


def test_a_flow_cleans_the_data_set_before_it_is_split(
    aws: EmbeddedAws, lake: pd.DataFrame, eventually: Callable[..., Any]
) -> None:
    execution, steps = execute(aws, "good.flow", eventually)
    assert {name: step["StepStatus"] for name, step in steps.items()} == {
        "Wrangle": "Succeeded",
        "Preprocess": "Succeeded",
    }, {name: step.get("FailureReason") for name, step in steps.items()}

    rows = pd.concat([side(aws, execution, name) for name in ("train", "validation", "holdout")])
    expected = lake.drop_duplicates().dropna(subset="credit_score")
    assert len(rows) == len(expected) < len(lake)
    assert set(rows["country"]) == {"France", "Germany", "Spain"}
    assert rows["estimated_salary"].max() == 500_000
    assert rows["credit_score"].notna().all()
    assert sorted(rows["balance"]) == sorted(expected["balance"])


def test_a_flow_with_custom_code_fails_with_the_operators_name(
    aws: EmbeddedAws, lake: pd.DataFrame, eventually: Callable[..., Any]
) -> None:
    _, steps = execute(aws, "custom.flow", eventually)
    assert steps.keys() == {"Wrangle"}
    custom = json.loads(Path(FLOW).read_text())["nodes"][4]["node_id"]
    reason = steps["Wrangle"]["FailureReason"]
    sentence = f"node {custom}: operator sagemaker.spark.custom_pyspark_0.1 is not run by embedded AWS"
    assert reason.startswith(f"AlgorithmError: {sentence}")
    name = steps["Wrangle"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    job = aws.client("sagemaker").describe_processing_job(ProcessingJobName=name)
    assert job["ProcessingJobStatus"] == "Failed" and job["FailureReason"] == reason
