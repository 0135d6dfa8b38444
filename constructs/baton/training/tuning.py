"""A search for hyper-parameters as one step: CreateHyperParameterTuningJob, and the winner's artefact."""

from dataclasses import dataclass
from typing import Any, ClassVar

from baton.specification.tuning import TUNABLE, Range, Tuning
from baton.training.jobs import TrainingJob
from baton.training.references import Join, StepProperty
from baton.training.steps import Step, TrainingStep

_SCALES = {
    "auto": "Auto",
    "linear": "Linear",
    "logarithmic": "Logarithmic",
    "reverse_logarithmic": "ReverseLogarithmic",
}


@dataclass(frozen=True, kw_only=True)
class TuningJob:
    """Training jobs that differ in their hyper-parameters, chosen by SageMaker from `seed` on.

    SageMaker knows the image as its own algorithm: it takes names and metrics of XGBoost's alone, and finds the metric
    in the log by a pattern of its own, so none is given here.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
    """

    training: TrainingJob
    tuning: Tuning
    seed: int

    def render(self) -> dict[str, Any]:
        """The CreateHyperParameterTuningJob request, without the name, which SageMaker Pipelines chooses."""
        return {
            "HyperParameterTuningJobConfig": {
                "Strategy": self.tuning.strategy.capitalize(),
                "HyperParameterTuningJobObjective": {
                    "Type": "Minimize" if self.tuning.objective == "rmse" else "Maximize",
                    "MetricName": f"validation:{self.tuning.objective}",
                },
                "ResourceLimits": {
                    "MaxNumberOfTrainingJobs": self.tuning.jobs,
                    "MaxParallelTrainingJobs": self.tuning.max_parallel_jobs,
                },
                "ParameterRanges": _ranges(self.tuning),
                "TrainingJobEarlyStoppingType": "Off",
                "RandomSeed": self.seed,
            },
            "TrainingJobDefinition": self._definition(),
        }

    def _definition(self) -> dict[str, Any]:
        """The training job, except that nobody may give the jobs of a tuning an entrypoint.

        The image's own program asks the function that SAGEMAKER_TRAINING_MODULE names, by default AWS's algorithm.

        See:
            https://github.com/aws/sagemaker-containers
        """
        definition = self.training.render()
        algorithm = definition["AlgorithmSpecification"]
        definition["AlgorithmSpecification"] = {
            key: value for key, value in algorithm.items() if key != "ContainerEntrypoint"
        }
        definition["StaticHyperParameters"] = definition.pop("HyperParameters")
        definition["Environment"] = {
            **definition["Environment"],
            "SAGEMAKER_TRAINING_MODULE": "pipeline_scripts.training.tuned:main",
        }
        return definition


def _ranges(tuning: Tuning) -> dict[str, list[dict[str, Any]]]:
    ranges: dict[str, list[dict[str, Any]]] = {
        "IntegerParameterRanges": [],
        "ContinuousParameterRanges": [],
        "CategoricalParameterRanges": [],
    }
    for name, wanted in tuning.ranges.items():
        kind = TUNABLE[name]
        if isinstance(wanted, Range):
            key = "IntegerParameterRanges" if kind is int else "ContinuousParameterRanges"
            bounds = {"MinValue": str(kind(wanted.min)), "MaxValue": str(kind(wanted.max))}
            ranges[key].append({"Name": name, **bounds, "ScalingType": _SCALES[wanted.scale]})
        else:
            values = [str(kind(value)) for value in wanted]
            ranges["CategoricalParameterRanges"].append({"Name": name, "Values": values})
    return ranges


@dataclass(frozen=True, kw_only=True)
class TuningStep(Step):
    """Runs a tuning job."""

    type: ClassVar[str] = "Tuning"

    job: TuningJob

    def arguments(self) -> dict[str, Any]:
        """The CreateHyperParameterTuningJob request."""
        return self.job.render()

    @property
    def artifact(self) -> Join:
        """The S3 URI of the model.tar.gz of its best training job."""
        best = StepProperty(self.name, "TrainingJobSummaries[0].TrainingJobName")
        return Join("/", (self.job.training.output_s3_uri, best, "output/model.tar.gz"))


Trained = TrainingStep | TuningStep
"""A step whose `artifact` is a trained model."""
