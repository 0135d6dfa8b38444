"""The pipeline that every model goes through.

    Preprocess ─┬─ data quality ────────────────┐
                └─ Train ─┬─ Evaluate ──────────┤
                          ├─ Champion ─ Compare ┤
                          ├─ bias ──────────────┼─ Gate ─ Passed ─┬─ Evidence ─ Sign ─ Register
                          └─ explainability ────┘                 └─ Refuse

How data quality, bias and explainability are analysed is the choice of the backend. A model with a flow has one step
before all others, Wrangle, whose rows Preprocess takes instead of the data set's.
"""

import json
from dataclasses import dataclass
from typing import Protocol

from baton.specification.lifecycle import Training
from baton.specification.model import ModelSpecification
from baton.training.analyses import Analyses
from baton.training.champion_steps import champion_step, compare_step
from baton.training.definition import Parameter, PipelineDefinition
from baton.training.evidence_steps import BUNDLE_SHA256, MODEL_CARD, Origin, evidence_step, sign_step
from baton.training.jobs import Spot, TrainingJob
from baton.training.packages import Evidence, ModelPackage
from baton.training.references import ExecutionVariable, Join
from baton.training.steps import (
    Comparison,
    ConditionStep,
    FailStep,
    ProcessingStep,
    PropertyFile,
    RegisterModelStep,
    Step,
    TrainingStep,
)
from baton.training.tuning import Trained, TuningJob, TuningStep
from baton.training.workplace import CACHED_FOR, JOB_RETRY, SERVICE_RETRY, Workplace, file_in
from baton.training.wrangler_step import WRANGLED, wrangled_rows

TRAIN = "Train"
CHANNELS = "/opt/ml/input/data"

# The artefact brings its own code, so whoever serves it needs nothing but the container. A caller that accepts
# anything is answered in CSV.
SERVING_ENVIRONMENT = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
}

DATASET_URI = Parameter(name="DatasetUri", default="none")
DATASET_HASH = Parameter(name="DatasetHash", default="none")
REASON = Parameter(name="Reason", default="none")

GATE_REPORT = "GateReport"


@dataclass(frozen=True, kw_only=True)
class DriftConfigurations:
    """The S3 URIs of what Clarify needs to repeat the analyses on live traffic."""

    bias: str
    explainability: str


@dataclass(frozen=True, kw_only=True)
class Functions:
    """The ARNs of the functions that steps call."""

    champion_finder: str
    signer: str


class Backend(Protocol):
    """Makes the analyses of a version."""

    def __call__(self, *, preprocess: ProcessingStep, train: Trained) -> Analyses:
        """The steps that analyse, and where their results lie."""


def preprocess_step(workplace: Workplace, wrangle: ProcessingStep | None = None) -> ProcessingStep:
    """Splits the dataset. The same dataset and code give the same splits, so an earlier result may be reused."""
    folders = ("train", "validation", "holdout", "baseline", "analysis", "transformer")
    return workplace.script(
        "Preprocess",
        "training.preprocess",
        reads={"dataset": DATASET_URI.value, **({WRANGLED: wrangled_rows(wrangle)} if wrangle else {})},
        writes={folder: workplace.features(folder) for folder in folders},
        purpose="data",
        cache_for=CACHED_FOR,
    )


def train_step(workplace: Workplace, model: ModelSpecification, preprocess: ProcessingStep) -> Trained:
    """Trains the model, byte-equal for the same splits and code, so an earlier result may be reused.

    What decides whether a result is reused includes the place of the checkpoints, but not that of the artefact. So the
    checkpoints of all executions lie together, each named after what it is learnt from, and so do the artefacts of a
    tuning, whose place is put together from its winner's name.
    """
    tuning = model.training.tuning
    execution = Join("/", (workplace.models_uri, ExecutionVariable("PipelineExecutionId")))
    job = TrainingJob(
        image=workplace.image,
        role_arn=workplace.job_role_arn,
        machine=workplace.machine(purpose="models"),
        network=workplace.network(),
        output_s3_uri=f"{workplace.models_uri}/tuning" if tuning else execution,
        output_key_arn=workplace.models_key_arn,
        max_runtime_seconds=workplace.max_runtime_seconds,
        entrypoint=("python3", "-m", "pipeline_scripts", "training.train"),
        channels={
            **{name: preprocess.output(name) for name in ("train", "validation", "transformer")},
            "code": workplace.code.s3_uri,
            "wheels": workplace.code.wheels_s3_uri,
        },
        environment=workplace.code.environment(CHANNELS),
        hyperparameters={name: str(value) for name, value in model.training.hyperparameters.items()},
        spot=_spot(workplace, model.training),
    )
    retries = (SERVICE_RETRY, JOB_RETRY)
    if tuning is None:
        return TrainingStep(name=TRAIN, job=job, retries=retries, cache_for=CACHED_FOR)
    search = TuningJob(training=job, tuning=tuning, seed=model.training.seed)
    return TuningStep(name=TRAIN, job=search, retries=retries, cache_for=CACHED_FOR)


def _spot(workplace: Workplace, training: Training) -> Spot | None:
    if not training.spot:
        return None
    return Spot(max_wait_seconds=training.wait_minutes * 60, checkpoints_s3_uri=f"{workplace.models_uri}/checkpoints")


def evaluate_step(workplace: Workplace, preprocess: ProcessingStep, train: Trained) -> ProcessingStep:
    """Measures the model on the hold-out."""
    return workplace.script(
        "Evaluate",
        "training.evaluate",
        reads={"model": train.artifact, "holdout": preprocess.output("holdout")},
        writes={"output": workplace.evidence("evaluation"), "model-quality": workplace.evidence("model_quality")},
    )


def gate_step(
    workplace: Workplace,
    *,
    train: Trained,
    evaluate: ProcessingStep,
    compare: ProcessingStep,
    analyses: Analyses,
    commit_author: str,
) -> ProcessingStep:
    """Decides, from the evidence, whether the version may be registered.

    Waivers run from day to day, so it is told when the execution began: a job that is repeated decides the same. Whose
    the commit is, is not a parameter, for whoever starts the pipeline could choose that.

    It names the results of check steps by their place in S3, which shows no dependency, so it says that it waits.
    """
    return workplace.script(
        "Gate",
        "training.gate",
        reads={
            "evaluation": evaluate.output("output"),
            "bias": analyses.bias,
            "explainability": analyses.explainability,
            "data-quality": analyses.data_quality,
            "model-quality": evaluate.output("model-quality"),
            "comparison": compare.output("output"),
            "model": train.artifact,
        },
        writes={"output": workplace.evidence("gate")},
        property_files=(PropertyFile(name=GATE_REPORT, output="output", path="gate.json"),),
        depends_on=tuple(step.name for step in analyses.steps),
        facts={"BATON_STARTED_AT": ExecutionVariable("StartDateTime"), "BATON_COMMIT_AUTHOR": commit_author},
    )


def verdict_step(*, gate: ProcessingStep, registration: tuple[Step, ...]) -> ConditionStep:
    """Registers what passed the gate, and says why when it did not."""
    report = file_in(gate.output("output"), "gate.json")
    refusal = Join("", ("The gate refused this version: ", gate.value(GATE_REPORT, "reasons"), " Report: ", report))
    return ConditionStep(
        name="Passed",
        conditions=(Comparison(relation="Equals", left=gate.value(GATE_REPORT, "passed"), right=1),),
        if_steps=registration,
        else_steps=(FailStep(name="Refuse", message=refusal),),
    )


def training_definition(
    workplace: Workplace,
    *,
    model: ModelSpecification,
    commit: str,
    author: str,
    drift_configurations: DriftConfigurations,
    analyse: Backend,
    functions: Functions,
    wrangle: ProcessingStep | None = None,
) -> PipelineDefinition:
    """The whole pipeline of one model. `commit` and `author` are those of the deployed code.

    `functions` are what its steps call.
    """
    commit_id = Parameter(name="CommitId", default=commit)
    author_name = Parameter(name="Author", default=author)
    preprocess = preprocess_step(workplace, wrangle)
    train = train_step(workplace, model, preprocess)
    evaluate = evaluate_step(workplace, preprocess, train)
    analyses = analyse(preprocess=preprocess, train=train)
    champion = champion_step(finder_arn=functions.champion_finder, train=train)
    compare = compare_step(workplace, champion=champion, preprocess=preprocess, train=train)
    gate = gate_step(
        workplace, train=train, evaluate=evaluate, compare=compare, analyses=analyses, commit_author=author
    )
    origin = Origin(
        commit=commit_id.value,
        author=author_name.value,
        reason=REASON.value,
        dataset_uri=DATASET_URI.value,
        dataset_hash=DATASET_HASH.value,
    )
    served_with = json.dumps(SERVING_ENVIRONMENT, sort_keys=True, separators=(",", ":"))
    bundle = evidence_step(workplace, origin=origin, train=train, container_environment=served_with)
    artifact_sha256 = gate.value(GATE_REPORT, "artifact_sha256")
    sign = sign_step(
        workplace,
        signer_arn=functions.signer,
        origin=origin,
        train=train,
        artifact_sha256=artifact_sha256,
        container_environment=served_with,
        bundle=bundle,
    )
    package = ModelPackage(
        group_name=workplace.group_name,
        image=workplace.image,
        model_data_url=train.artifact,
        environment=SERVING_ENVIRONMENT,
        instance_types=(model.serving.instance_type,),
        evidence=Evidence(
            data_statistics=analyses.data_statistics,
            data_constraints=analyses.data_constraints,
            quality_statistics=file_in(evaluate.output("model-quality"), "statistics.json"),
            quality_constraints=file_in(evaluate.output("model-quality"), "constraints.json"),
            data_bias=analyses.data_bias,
            model_bias=analyses.model_bias,
            explainability=analyses.attributions,
            bias_config=drift_configurations.bias,
            explainability_config=drift_configurations.explainability,
        ),
        card=bundle.value(MODEL_CARD.name, "ModelCardContent"),
        properties={
            "commit": commit_id.value,
            "author": author_name.value,
            "dataset_hash": DATASET_HASH.value,
            "dataset_uri": DATASET_URI.value,
            "evidence_uri": workplace.evidence(),
            "evidence_sha256": sign.output(BUNDLE_SHA256),
            "image": workplace.image,
            "artifact_sha256": artifact_sha256,
            "pipeline_execution": ExecutionVariable("PipelineExecutionArn"),
            "reason": REASON.value,
        },
    )
    register = RegisterModelStep(name="Register", package=package, retries=(SERVICE_RETRY,))
    return PipelineDefinition(
        parameters=(DATASET_URI, DATASET_HASH, commit_id, author_name, REASON),
        steps=(
            *((wrangle,) if wrangle else ()),
            preprocess,
            train,
            evaluate,
            champion,
            compare,
            *analyses.steps,
            gate,
            verdict_step(gate=gate, registration=(bundle, sign, register)),
        ),
    )
