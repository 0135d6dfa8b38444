"""How the evidence of what passed the gate is bundled and signed before the version is registered."""

from dataclasses import dataclass, fields

from baton.training.references import ExecutionVariable, Join, Value
from baton.training.steps import LambdaStep, ProcessingStep, PropertyFile
from baton.training.tuning import Trained
from baton.training.workplace import Workplace

MANIFEST = "_manifest.json"  # as the ETL job calls it, in the folder of the dataset

BUNDLE_SHA256 = "bundle_sha256"

MODEL_CARD = PropertyFile(name="ModelCard", output="output", path="model_card.json")
"""The card as a registration takes it. A Lambda step's output could not hold it: it ends at 1,024 characters."""

EXECUTION_ARN = ExecutionVariable("PipelineExecutionArn")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who asked for a version, and what it is made from."""

    commit: Value
    author: Value
    reason: Value
    dataset_uri: Value
    dataset_hash: Value


def evidence_step(
    workplace: Workplace, *, origin: Origin, train: Trained, container_environment: str
) -> ProcessingStep:
    """Bundles all evidence of the execution, whichever steps wrote it. It lies behind the gate, which waits for them.

    `DatasetUri` ends in a slash; `container_environment` is what the version will be served with, as canonical JSON.
    """
    facts = {f"BATON_ORIGIN_{field.name.upper()}": getattr(origin, field.name) for field in fields(origin)}
    return workplace.script(
        "Evidence",
        "training.evidence",
        reads={
            "evidence": workplace.evidence(),
            "model": train.artifact,
            "manifest": Join("", (origin.dataset_uri, MANIFEST)),
        },
        writes={"output": workplace.evidence("evidence")},
        property_files=(MODEL_CARD,),
        facts={
            **facts,
            "BATON_ORIGIN_EXECUTION": EXECUTION_ARN,
            "BATON_ORIGIN_IMAGE": workplace.image,
            "BATON_ORIGIN_CONTAINER_ENVIRONMENT": container_environment,
            "BATON_ORIGIN_EVIDENCE_URI": workplace.evidence(),
        },
    )


def sign_step(
    workplace: Workplace,
    *,
    signer_arn: str,
    origin: Origin,
    train: Trained,
    artifact_sha256: Value,
    container_environment: str,
    bundle: ProcessingStep,
) -> LambdaStep:
    """Has the bundle checked and signed. It tells the function what the bundle must say, for a script wrote that."""
    return LambdaStep(
        name="Sign",
        function_arn=signer_arn,
        inputs={
            "execution": EXECUTION_ARN,
            "commit": origin.commit,
            "dataset_hash": origin.dataset_hash,
            "evidence_uri": workplace.evidence(),
            "artifact_uri": train.artifact,
            "artifact_sha256": artifact_sha256,
            "image": workplace.image,
            "container_environment": container_environment,
        },
        outputs=(BUNDLE_SHA256,),
        depends_on=(bundle.name,),
    )
