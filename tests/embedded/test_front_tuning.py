"""Tuning jobs of embedded AWS behind their API: what they try, which training is the best, how they end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.compute.job import JobRefused
from embedded.compute.search import candidates
from embedded.server import EmbeddedAws

BUCKET = "front-tuning"
ROLE = "arn:aws:iam::000000000000:role/any"
MACHINE = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}

# It prints what SageMaker looks for in the log, and fails for one value.
SCRIPT = """
import json, os, pathlib, time

def main():
    base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
    given = json.loads((base / "input/config/hyperparameters.json").read_text())
    time.sleep(float(given["seconds"]))
    if given["eta"] == "0.9":
        (base / "output/failure").write_text("too fast")
        raise SystemExit(1)
    (base / "model/eta.txt").write_text(given["eta"])
    if given["quiet"] == "no":
        metric = given["_tuning_objective_metric"].replace(":", "-")
        print(f"[0]\\t{metric}:0.1")
        print(f"[0]\\t{metric}:{given['eta']}")
"""


@pytest.fixture(scope="module", autouse=True)
def bucket(aws: EmbeddedAws) -> None:
    settings = {"LocationConstraint": aws.region}
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=settings)


def config(*etas: str, **changes: Any) -> dict[str, Any]:
    return {
        "Strategy": "Grid",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": len(etas), "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "eta", "Values": list(etas)}]},
        "RandomSeed": 7,
        **changes,
    }


@pytest.fixture
def tune(aws: EmbeddedAws, tmp_path: Path) -> Callable[..., Callable[[], dict[str, Any] | None]]:
    """Start a tuning; the function it gives describes the tuning once it has ended."""
    (tmp_path / "tried.py").write_text(SCRIPT)
    sagemaker = aws.client("sagemaker")

    def start(name: str, wanted: dict[str, Any], **static: str) -> Callable[[], dict[str, Any] | None]:
        sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig=wanted,
            TrainingJobDefinition={
                "AlgorithmSpecification": {"TrainingImage": "any", "TrainingInputMode": "File"},
                "StaticHyperParameters": {"seconds": "0", "quiet": "no", **static},
                "Environment": {"SAGEMAKER_TRAINING_MODULE": "tried:main", "PYTHONPATH": str(tmp_path)},
                "RoleArn": ROLE,
                "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/tuning"},
                "ResourceConfig": MACHINE,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            },
            Tags=[{"Key": "purpose", "Value": "test"}],
        )

        def ended() -> dict[str, Any] | None:
            tuning: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
            return None if tuning["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping") else tuning

        return ended

    return start


def test_the_best_training_of_a_grid_is_found_and_its_artefact_lies_under_its_name(
    aws: EmbeddedAws, tune: Any, eventually: Callable[..., Any]
) -> None:
    tuning = eventually(tune("front-grid", config("0.3", "0.7", "0.9")))
    assert tuning["HyperParameterTuningJobStatus"] == "Completed"
    counts = tuning["TrainingJobStatusCounters"]
    assert (counts["Completed"], counts["NonRetryableError"]) == (2, 1), "one failure does not fail the tuning"
    assert tuning["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 1}
    best = tuning["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"eta": "0.7"}
    metric = best["FinalHyperParameterTuningJobObjectiveMetric"]
    assert (metric["MetricName"], metric["Value"]) == ("validation:auc", pytest.approx(0.7)), "the last line counts"

    sagemaker = aws.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["TuningJobArn"] == tuning["HyperParameterTuningJobArn"]
    assert job["HyperParameters"]["eta"] == "0.7"
    artifact = f"s3://{BUCKET}/tuning/{best['TrainingJobName']}/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == artifact
    aws.client("s3").head_object(Bucket=BUCKET, Key=artifact.removeprefix(f"s3://{BUCKET}/"))

    ask = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job
    by_name = ask(HyperParameterTuningJobName="front-grid")["TrainingJobSummaries"]
    assert [item["TrainingJobName"][:14] for item in by_name] == [f"front-grid-00{n}" for n in (1, 2, 3)]
    by_value = {"HyperParameterTuningJobName": "front-grid", "SortBy": "FinalObjectiveMetricValue"}
    for order, etas in (("Descending", ["0.7", "0.3"]), ("Ascending", ["0.3", "0.7"])):
        listed = ask(**by_value, SortOrder=order)["TrainingJobSummaries"]
        assert [item["TunedHyperParameters"]["eta"] for item in listed] == etas


def test_what_is_to_be_small_is_best_where_it_is_smallest(tune: Any, eventually: Callable[..., Any]) -> None:
    objective = {"Type": "Minimize", "MetricName": "validation:rmse"}
    tuning = eventually(tune("front-small", config("0.3", "0.2", HyperParameterTuningJobObjective=objective)))
    assert tuning["BestTrainingJob"]["TunedHyperParameters"] == {"eta": "0.2"}


@pytest.mark.parametrize(("eta", "quiet", "word"), [("0.9", "no", "too fast"), ("0.3", "yes", "'validation:auc'")])
def test_a_tuning_without_a_result_fails_and_says_why(
    tune: Any, eventually: Callable[..., Any], eta: str, quiet: str, word: str
) -> None:
    tuning = eventually(tune(f"front-none-{quiet}", config(eta), quiet=quiet))
    assert tuning["HyperParameterTuningJobStatus"] == "Failed"
    assert "BestTrainingJob" not in tuning
    assert word in tuning["FailureReason"]


def test_a_stopped_tuning_stops_its_jobs_and_starts_no_other(
    aws: EmbeddedAws, tune: Any, eventually: Callable[..., Any]
) -> None:
    sagemaker = aws.client("sagemaker")
    limits = {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 1}
    ended = tune("front-stopped", config("0.1", "0.2", "0.3", ResourceLimits=limits), seconds="60")
    name = {"HyperParameterTuningJobName": "front-stopped"}
    assert eventually(
        lambda: sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**name)["TrainingJobSummaries"]
    )
    sagemaker.stop_hyper_parameter_tuning_job(**name)
    tuning = eventually(ended)
    assert tuning["HyperParameterTuningJobStatus"] == "Stopped"
    assert tuning["TrainingJobStatusCounters"]["Stopped"] == 1
    assert len(sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**name)["TrainingJobSummaries"]) == 1
    with pytest.raises(ClientError, match="Stopped"):
        sagemaker.stop_hyper_parameter_tuning_job(**name)


def test_what_does_not_run_here_is_refused_at_once(tune: Any) -> None:
    with pytest.raises(ClientError, match="Hyperband"):
        tune("front-refused", config("0.1", Strategy="Hyperband"))


RANGES = {
    "ContinuousParameterRanges": [
        {"Name": "eta", "MinValue": "0.01", "MaxValue": "0.3", "ScalingType": "Logarithmic"},
        {"Name": "subsample", "MinValue": "0.5", "MaxValue": "0.99", "ScalingType": "ReverseLogarithmic"},
        {"Name": "gamma", "MinValue": "0", "MaxValue": "4"},
    ],
    "IntegerParameterRanges": [
        {"Name": "max_depth", "MinValue": "2", "MaxValue": "6", "ScalingType": "Linear"},
        {"Name": "num_round", "MinValue": "10", "MaxValue": "1000", "ScalingType": "Logarithmic"},
    ],
    "CategoricalParameterRanges": [{"Name": "booster", "Values": ["gbtree", "dart"]}],
}


def drawn(seed: int, jobs: int = 400) -> list[dict[str, str]]:
    limits = {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": 1}
    return candidates(config(Strategy="Bayesian", ParameterRanges=RANGES, ResourceLimits=limits, RandomSeed=seed))


def test_a_search_draws_by_scale_within_bounds_and_the_same_from_the_same_seed() -> None:
    found = drawn(1)
    assert found == drawn(1)
    assert found != drawn(2)
    assert {each["max_depth"] for each in found} == {"2", "3", "4", "5", "6"}
    assert {each["booster"] for each in found} == {"gbtree", "dart"}
    for name, low, high, middle in (
        ("eta", 0.01, 0.3, (0.01 * 0.3) ** 0.5),
        ("subsample", 0.5, 0.99, 1 - (0.5 * 0.01) ** 0.5),
        ("gamma", 0, 4, 2),
        ("num_round", 10, 1000, 100),
    ):
        values = [float(each[name]) for each in found]
        assert min(values) >= low
        assert max(values) <= high
        below = sum(value < middle for value in values) / len(values)
        assert below == pytest.approx(0.5, abs=0.1), f"half of {name} lies below the middle of its scale"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"ParameterRanges": RANGES}, "categorical"),
        ({"ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 1}}, "2 combinations"),
        ({"TrainingJobEarlyStoppingType": "Auto"}, "TrainingJobEarlyStoppingType"),
        ({"Strategy": "Random", "ParameterRanges": {}}, "ParameterRanges"),
    ],
)
def test_a_search_that_aws_would_refuse_is_refused(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(JobRefused, match=word):
        candidates(config("0.1", "0.2", **changes))


def test_values_that_are_only_listed_are_drawn_once_each() -> None:
    limits = {"MaxNumberOfTrainingJobs": 9, "MaxParallelTrainingJobs": 1}
    found = candidates(config("0.1", "0.2", Strategy="Random", ResourceLimits=limits))
    assert sorted(each["eta"] for each in found) == ["0.1", "0.2"]
