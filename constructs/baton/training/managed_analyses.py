"""The `managed` backend before deployment: containers of Model Monitor and Clarify, as check steps.

See:
    https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-quality-clarify-baseline-lifecycle.html
"""

import json
from dataclasses import dataclass

from baton.foundation.images import ManagedImages
from baton.training.analyses import Analyses
from baton.training.check_steps import ClarifyCheckStep, QualityCheckStep
from baton.training.jobs import PROCESSING_INPUT, PROCESSING_OUTPUT, JobInput, JobOutput, ProcessingJob
from baton.training.references import Value
from baton.training.steps import ModelStep, ProcessingStep
from baton.training.tuning import Trained
from baton.training.workplace import SERVICE_RETRY, Workplace

BASELINE_INPUT = f"{PROCESSING_INPUT}/baseline_dataset_input"


@dataclass(frozen=True, kw_only=True)
class ClarifyQuestions:
    """The S3 URIs of the configurations that tell Clarify what to analyse."""

    data_bias: str
    model_bias: str
    explainability: str


def managed_analyses(
    workplace: Workplace,
    *,
    images: ManagedImages,
    questions: ClarifyQuestions,
    serving_environment: dict[str, str],
    preprocess: ProcessingStep,
    train: Trained,
) -> Analyses:
    """Data quality, bias and explainability by AWS's containers, with a model for Clarify to ask."""
    model = ModelStep(
        name="Model",
        image=workplace.image,
        role_arn=workplace.job_role_arn,
        network=workplace.network(),
        model_data_url=train.artifact,
        environment=serving_environment,
        retries=(SERVICE_RETRY,),
    )
    data_quality = QualityCheckStep(
        name="DataQualityBaseline",
        check="DATA_QUALITY",
        group_name=workplace.group_name,
        job=_profile(workplace, images.model_monitor, preprocess.output("baseline")),
    )

    def clarify(question: str, folder: str) -> ProcessingJob:
        return _clarify(workplace, images.clarify, question, preprocess.output("analysis"), workplace.evidence(folder))

    data_bias = ClarifyCheckStep(
        name="DataBias",
        check="DATA_BIAS",
        group_name=workplace.group_name,
        job=clarify(questions.data_bias, "data_bias"),
    )
    model_bias = ClarifyCheckStep(
        name="ModelBias",
        check="MODEL_BIAS",
        group_name=workplace.group_name,
        model_name=model.model_name,
        job=clarify(questions.model_bias, "bias"),
    )
    explain = ClarifyCheckStep(
        name="Explain",
        check="MODEL_EXPLAINABILITY",
        group_name=workplace.group_name,
        model_name=model.model_name,
        job=clarify(questions.explainability, "explainability"),
    )
    return Analyses(
        steps=(data_quality, model, data_bias, model_bias, explain),
        data_quality=workplace.evidence("data_quality"),
        bias=workplace.evidence("bias"),
        explainability=workplace.evidence("explainability"),
        data_statistics=data_quality.statistics,
        data_constraints=data_quality.constraints,
        data_bias=data_bias.constraints,
        model_bias=model_bias.constraints,
        attributions=explain.constraints,
    )


def _profile(workplace: Workplace, image: str, dataset: Value) -> ProcessingJob:
    return ProcessingJob(
        image=image,
        role_arn=workplace.job_role_arn,
        machine=workplace.machine(purpose="data"),
        network=workplace.network(),
        output_key_arn=workplace.models_key_arn,
        max_runtime_seconds=workplace.max_runtime_seconds,
        inputs=(JobInput(name="baseline_dataset_input", s3_uri=dataset, local_path=BASELINE_INPUT),),
        outputs=(
            JobOutput(
                name="quality_check_output", s3_uri=workplace.evidence("data_quality"), local_path=PROCESSING_OUTPUT
            ),
        ),
        environment={
            "output_path": PROCESSING_OUTPUT,
            "publish_cloudwatch_metrics": "Disabled",
            "dataset_format": json.dumps({"csv": {"header": True, "output_columns_position": "START"}}),
            "dataset_source": BASELINE_INPUT,
        },
    )


def _clarify(workplace: Workplace, image: str, question: str, dataset: Value, output: Value) -> ProcessingJob:
    """Clarify starts a shadow endpoint and asks it, so its container needs the network; the subnets bound it."""
    return ProcessingJob(
        image=image,
        role_arn=workplace.job_role_arn,
        machine=workplace.machine(purpose="data"),
        network=workplace.network(isolated=False),
        output_key_arn=workplace.models_key_arn,
        max_runtime_seconds=workplace.max_runtime_seconds,
        inputs=(
            JobInput(name="analysis_config", s3_uri=question, local_path=f"{PROCESSING_INPUT}/config"),
            JobInput(name="dataset", s3_uri=dataset, local_path=f"{PROCESSING_INPUT}/data"),
        ),
        outputs=(JobOutput(name="analysis_result", s3_uri=output, local_path=PROCESSING_OUTPUT),),
    )
