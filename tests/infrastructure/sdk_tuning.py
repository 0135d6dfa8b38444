"""The tuned sample model's training as the SageMaker SDK builds it; run as a process of its own."""

import json
import sys

# First, because it sets what the SDK wants of the environment before it is imported.
from sdk_pipeline import CACHE, EXECUTION, SESSION, WORKPLACE, channels, evidence, output, retries, script, trainer  # isort: split

import pipeline_samples as sample
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
from sagemaker.core.shapes import Channel, CheckpointConfig, DataSource, S3DataSource
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TuningStep
from sagemaker.train.tuner import HyperparameterTuner

FOLDERS = ("train", "validation", "holdout", "baseline", "analysis", "transformer")
MODEL = sample.tuned_model()


def channel(name: str, uri: object) -> Channel:
    source = S3DataSource(s3_data_type="S3Prefix", s3_uri=uri, s3_data_distribution_type="FullyReplicated")
    return Channel(channel_name=name, input_mode="File", data_source=DataSource(s3_data_source=source))


def tuning_step(preprocess: ProcessingStep) -> TuningStep:
    tuner = HyperparameterTuner(
        model_trainer=trainer(
            MODEL.training.hyperparameters,
            f"{WORKPLACE.models_uri}/tuning",
            {"SAGEMAKER_TRAINING_MODULE": "pipeline_scripts.training.tuned:main"},
            checkpoint_config=CheckpointConfig(
                s3_uri=f"{WORKPLACE.models_uri}/checkpoints", local_path="/opt/ml/checkpoints"
            ),
        ),
        objective_metric_name="validation:auc",
        hyperparameter_ranges={
            "eta": ContinuousParameter(0.02, 0.3, "Logarithmic"),
            "max_depth": IntegerParameter(2, 6),
            "subsample": CategoricalParameter([0.7, 0.9]),
        },
        max_jobs=8,
        max_parallel_jobs=2,
        random_seed=MODEL.training.seed,
    )
    arguments = tuner.tune(inputs=[channel(name, uri) for name, uri in channels(preprocess).items()], wait=False)
    return TuningStep(name="Train", step_args=arguments, cache_config=CACHE, retry_policies=retries())


def build() -> Pipeline:
    dataset = ParameterString(name="DatasetUri", default_value="none")
    writes = {name: Join(on="/", values=[WORKPLACE.features_uri, EXECUTION, name]) for name in FOLDERS}
    preprocess = script(
        "Preprocess", "training.preprocess", {"dataset": dataset}, writes, sample.DATA_KEY, cache_config=CACHE
    )
    train = tuning_step(preprocess)
    bucket, prefix = WORKPLACE.models_uri.removeprefix("s3://").split("/")
    model = train.get_top_model_s3_uri(top_k=0, s3_bucket=bucket, prefix=f"{prefix}/tuning")
    written = {"output": evidence("evaluation"), "model-quality": evidence("model_quality")}
    judged = {"model": model, "holdout": output(preprocess, "holdout")}
    evaluate = script("Evaluate", "training.evaluate", judged, written, sample.MODELS_KEY)
    steps = [preprocess, train, evaluate]
    return Pipeline(name=sample.GROUP, parameters=[dataset], steps=steps, sagemaker_session=SESSION)


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(json.loads(build().definition()), sort_keys=True) + "\n")
