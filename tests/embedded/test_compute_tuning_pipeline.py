"""A tuning in the pipeline of embedded AWS, as the platform renders it: its winner's artefact is what is evaluated."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from baton.specification.model import ModelSpecification
from baton.training.definition import PipelineDefinition
from baton.training.model_pipeline import DATASET_URI, evaluate_step, preprocess_step, train_step
from baton.training.workplace import Code
from embedded.server import EmbeddedAws
from tests.embedded.test_compute_wrangler_pipeline import code, zipped
from tests.infrastructure.pipeline_samples import CODE_FILE, sample_workplace, tuned_model
from tests.runtime.churn import customers, write_dataset

BUCKET = "compute-tuning"
PLACE = f"s3://{BUCKET}"
ROLE = "arn:aws:iam::000000000000:role/any"


@pytest.fixture
def model() -> ModelSpecification:
    """The tuned sample model, with three small trainings."""
    content = tuned_model().model_dump(mode="json")
    content["training"]["hyperparameters"]["num_round"] = 20
    content["training"]["tuning"]["max_jobs"] = 3
    return ModelSpecification.model_validate(content)


@pytest.fixture(autouse=True)
def lake(aws: EmbeddedAws, model: ModelSpecification, tmp_path: Path) -> None:
    """A bucket with a data set and the code."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.region})
    write_dataset(tmp_path / "dataset", customers(1_200))
    for path in (tmp_path / "dataset").iterdir():
        s3.upload_file(str(path), BUCKET, f"dataset/{path.name}")
    s3.put_object(Bucket=BUCKET, Key=f"code/{CODE_FILE}", Body=code(model))
    s3.put_object(Bucket=BUCKET, Key="wheels/none.zip", Body=zipped({}))


def definition(model: ModelSpecification) -> dict[str, Any]:
    workplace = replace(
        sample_workplace(),
        job_role_arn=ROLE,
        code=Code(s3_uri=f"{PLACE}/code/{CODE_FILE}", file=CODE_FILE, wheels_s3_uri=f"{PLACE}/wheels/none.zip"),
        features_uri=f"{PLACE}/features",
        models_uri=f"{PLACE}/models",
        evidence_uri=f"{PLACE}/evidence",
    )
    preprocess = preprocess_step(workplace)
    train = train_step(workplace, model, preprocess)
    steps = (preprocess, train, evaluate_step(workplace, preprocess, train))
    return PipelineDefinition(parameters=(DATASET_URI,), steps=steps).render()


def test_the_best_of_three_trainings_is_evaluated(
    aws: EmbeddedAws, model: ModelSpecification, eventually: Callable[..., Any]
) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_pipeline(PipelineName="tuning", RoleArn=ROLE, PipelineDefinition=json.dumps(definition(model)))
    arn = sagemaker.start_pipeline_execution(
        PipelineName="tuning", PipelineParameters=[{"Name": "DatasetUri", "Value": f"{PLACE}/dataset/"}]
    )["PipelineExecutionArn"]

    def ended() -> bool:
        execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        return execution["PipelineExecutionStatus"] in ("Succeeded", "Failed", "Stopped")

    assert eventually(ended, within=240)
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    steps = {step["StepName"]: step for step in listed}
    assert {name: (step["StepStatus"], step.get("FailureReason")) for name, step in steps.items()} == {
        name: ("Succeeded", None) for name in ("Preprocess", "Train", "Evaluate")
    }

    name = steps["Train"]["Metadata"]["TuningJob"]["Arn"].rpartition("/")[2]
    asked = {"HyperParameterTuningJobName": name}
    jobs = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**asked)["TrainingJobSummaries"]
    assert len({json.dumps(job["TunedHyperParameters"], sort_keys=True) for job in jobs}) == 3
    best = sagemaker.describe_hyper_parameter_tuning_job(**asked)["BestTrainingJob"]
    reached = [job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for job in jobs]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == max(reached) > min(reached) > 0.5

    evaluated = steps["Evaluate"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    inputs = sagemaker.describe_processing_job(ProcessingJobName=evaluated)["ProcessingInputs"]
    read = {item["InputName"]: item["S3Input"]["S3Uri"] for item in inputs}
    assert read["model"] == f"{PLACE}/models/tuning/{best['TrainingJobName']}/output/model.tar.gz"
