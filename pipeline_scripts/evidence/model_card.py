"""The SageMaker Model Card of a version: what the YAML says it is for, and what the run found out.

The card of a model package has no `model_package_details`, and its `model_overview` only the creator and the artefact.
`None` is left out, for the schema knows no null.

See:
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema
"""

import json
from collections.abc import Mapping
from typing import Any

from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.evidence import findings
from pipeline_scripts.evidence.metrics import Metric, metrics_of
from pipeline_scripts.model import Model

LONGEST_CONTENT = 100_000  # CreateModelPackage's own limit

_OBSERVATION, _FACT, _VALUE = 2096, 1024, 255  # the schema's limits, in characters
_MOST_METRICS = 50


def model_card(
    bundle: Mapping[str, Any], *, evaluation: Mapping[str, Any], explanations: Mapping[str, Any], model: Model
) -> dict[str, str]:
    """The `ModelCard` of a CreateModelPackage request, for the bundle's version.

    Raises:
        JobError: It would be longer than the registry takes.
    """
    content = json.dumps(
        _content(bundle, evaluation=evaluation, explanations=explanations, model=model),
        ensure_ascii=False,
        allow_nan=False,
    )
    if len(content) > LONGEST_CONTENT:
        raise JobError(
            f"the model card has {len(content)} characters, and the registry takes {LONGEST_CONTENT}; "
            "shorten what `card` says in the model's YAML"
        )
    return {"ModelCardContent": content, "ModelCardStatus": "PendingReview"}


def _content(
    bundle: Mapping[str, Any], *, evaluation: Mapping[str, Any], explanations: Mapping[str, Any], model: Model
) -> dict[str, Any]:
    told = model.settings["card"] or {}
    content = {
        "model_overview": {"model_creator": bundle["author"][:_FACT]},
        "intended_uses": _told(
            purpose_of_model=told.get("purpose"),
            intended_uses=f"{told['intended_uses']}\nOut of scope: {told['out_of_scope']}" if told else None,
            risk_rating=told["risk_rating"].capitalize() if told else "Unknown",
            explanations_for_risk_rating=told.get("risk_reason"),
        ),
        "business_details": _told(
            business_problem=told.get("business_problem"),
            business_stakeholders=told.get("stakeholders"),
            line_of_business=told.get("line_of_business"),
        ),
        "training_details": _training(bundle, model),
        "evaluation_details": [_evaluation(bundle, evaluation, explanations)],
        "additional_information": _told(
            ethical_considerations=told.get("ethical_considerations"),
            caveats_and_recommendations=told.get("caveats"),
            custom_details=_details(bundle, owner=model.settings["owner"]),
        ),
    }
    return {section: said for section, said in content.items() if said}


def _told(**said: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _training(bundle: Mapping[str, Any], model: Model) -> dict[str, Any]:
    chosen = {"algorithm": model.settings["training"]["algorithm"], **model.settings["training"]["hyperparameters"]}
    return {
        "training_observations": f"Trained because: {bundle['reason']}"[:_FACT],
        "training_job_details": {
            "training_datasets": [bundle["dataset"]["uri"]],
            "training_environment": {"container_image": [bundle["image"]]},
            "user_provided_hyper_parameters": [
                {"name": name, "value": str(value)[:_VALUE]} for name, value in chosen.items()
            ],
        },
    }


def _evaluation(
    bundle: Mapping[str, Any], evaluation: Mapping[str, Any], explanations: Mapping[str, Any]
) -> dict[str, Any]:
    attributed = findings.attributions(explanations)
    groups = {
        "Quality": [_number(metric.label, metric.value, _notes(metric)) for metric in metrics_of(evaluation)],
        "Fairness, as the gate judged it": [
            _number(check.name, check.value, f"{check.verdict}: the gate allows {check.bound}")
            for check in findings.checks(bundle["gate"])
            if check.limits is not None and check.value is not None
        ],
        "Attributions": [
            {
                "name": "Mean absolute SHAP value of each feature",
                "type": "bar_chart",
                "value": list(attributed.values()),
                "x_axis_name": list(attributed),
                "y_axis_name": "mean |SHAP|",
            }
        ],
    }
    return {
        "name": "Hold-out",
        "evaluation_observation": bundle["gate"]["reasons"][:_OBSERVATION],
        "datasets": [bundle["dataset"]["uri"]],
        "metadata": {"rows": str(evaluation["rows"]), "dataset_hash": bundle["dataset"]["hash"]},
        "metric_groups": [{"name": name, "metric_data": data[:_MOST_METRICS]} for name, data in groups.items() if data],
    }


def _number(name: str, value: float, notes: str) -> dict[str, Any]:
    return {"name": name[:_VALUE], "type": "number", "value": value, "notes": notes[:_FACT]}


def _notes(metric: Metric) -> str:
    if metric.low is None or metric.high is None:
        return metric.meaning
    return f"{metric.low:.4f} to {metric.high:.4f}; {metric.meaning}"


def _details(bundle: Mapping[str, Any], *, owner: str) -> dict[str, str]:
    details = {
        "commit": bundle["commit"],
        "author": bundle["author"],
        "owner": owner,
        "pipeline execution": bundle["execution"],
        "artifact sha256": bundle["artifact"]["sha256"],
        "lock of the libraries sha256": bundle["environment"]["lock"]["sha256"],
        "evidence": f"{bundle['evidence_uri']}/evidence/evidence.html",
    }
    return {name: value[:_FACT] for name, value in details.items()}
