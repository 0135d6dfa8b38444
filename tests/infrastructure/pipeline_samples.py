"""The pipeline of the sample model with plain values where CDK would put tokens."""

from functools import partial
from pathlib import Path
from typing import Any, Literal

from baton.foundation.images import images_in
from baton.specification.model import ModelSpecification
from baton.training.definition import PipelineDefinition
from baton.training.managed_analyses import ClarifyQuestions, managed_analyses
from baton.training.model_pipeline import (
    DATASET_URI,
    SERVING_ENVIRONMENT,
    DriftConfigurations,
    Functions,
    training_definition,
)
from baton.training.open_analyses import open_analyses
from baton.training.steps import ProcessingStep
from baton.training.workplace import Code, Workplace
from baton.training.wrangler_step import wrangle_step
from stacks.settings import load_models

ROOT = Path(__file__).parents[2]
REGION = "eu-west-1"
ACCOUNT = "000000000000"
ASSETS = f"s3://cdk-assets-{ACCOUNT}-{REGION}"
CODE_FILE = f"{'0' * 64}.zip"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/job-role"
DATA_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111"
MODELS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/22222222-2222-2222-2222-222222222222"
CHAMPION_FINDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:champion-finder"
SIGNER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:signer"
GROUP = "baton-dev-bank-churn"
FLOW = f"{ASSETS}/{'2' * 64}.flow"
NODE = "1fa87c35-2b64-4e0d-a985-7f2c3d5b4a07"
QUESTIONS = ClarifyQuestions(
    data_bias=f"{ASSETS}/data-bias.json",
    model_bias=f"{ASSETS}/model-bias.json",
    explainability=f"{ASSETS}/explainability.json",
)
DRIFT = DriftConfigurations(bias=f"{ASSETS}/bias-monitor.json", explainability=f"{ASSETS}/explainability-monitor.json")
RANGES: dict[str, Any] = {
    "eta": {"min": 0.02, "max": 0.3, "scale": "logarithmic"},
    "max_depth": {"min": 2, "max": 6},
    "subsample": [0.7, 0.9],
}
Backend = Literal["open", "managed"]


def sample_model() -> ModelSpecification:
    return load_models([ROOT / "config" / "models" / "bank_churn.yaml"], [])[0]


def tuned_model() -> ModelSpecification:
    """The sample model, tuned on spare machines."""
    content = sample_model().model_dump(mode="json")
    fixed = {name: value for name, value in content["training"]["hyperparameters"].items() if name not in RANGES}
    training = {
        **content["training"],
        "spot": True,
        "hyperparameters": fixed,
        "tuning": {"max_jobs": 8, "ranges": RANGES},
    }
    return ModelSpecification.model_validate({**content, "training": training})


def sample_workplace() -> Workplace:
    model = sample_model()
    return Workplace(
        image=images_in(REGION).xgboost,
        job_role_arn=ROLE,
        subnet_ids=["subnet-aaaaaaaa", "subnet-bbbbbbbb"],
        security_group_ids=["sg-aaaaaaaa"],
        data_key_arn=DATA_KEY,
        models_key_arn=MODELS_KEY,
        code=Code(s3_uri=f"{ASSETS}/{CODE_FILE}", file=CODE_FILE, wheels_s3_uri=f"{ASSETS}/{'1' * 64}.zip"),
        features_uri="s3://features/bank_churn",
        models_uri="s3://models/bank_churn",
        evidence_uri="s3://evidence/bank_churn",
        group_name=GROUP,
        instance_type=model.training.instance_type,
        max_runtime_seconds=3600,
    )


def sample_wrangle_step() -> ProcessingStep:
    image = images_in(REGION).data_wrangler
    assert image is not None
    return wrangle_step(
        sample_workplace(),
        image=image,
        flow_s3_uri=FLOW,
        node_id=NODE,
        dataset_name="bank_churn",
        dataset=DATASET_URI.value,
        instance_type="ml.m5.4xlarge",
    )


def sample_definition(
    backend: Backend, *, wrangle: ProcessingStep | None = None, model: ModelSpecification | None = None
) -> PipelineDefinition:
    workplace = sample_workplace()
    managed = images_in(REGION).managed
    assert managed is not None
    return training_definition(
        workplace,
        model=model or sample_model(),
        commit="0123abc",
        author="ada@bank.example",
        drift_configurations=DRIFT,
        analyse=partial(open_analyses, workplace)
        if backend == "open"
        else partial(
            managed_analyses,
            workplace,
            images=managed,
            questions=QUESTIONS,
            serving_environment=SERVING_ENVIRONMENT,
        ),
        functions=Functions(champion_finder=CHAMPION_FINDER, signer=SIGNER),
        wrangle=wrangle,
    )


def steps_by_name(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every step of a rendered definition, also those in branches."""
    found: dict[str, dict[str, Any]] = {}
    pending = list(definition["Steps"])
    while pending:
        step = pending.pop(0)
        found[step["Name"]] = step
        pending += step["Arguments"].get("IfSteps", []) + step["Arguments"].get("ElseSteps", [])
    return found
