"""What Clarify is asked about a model: the analysis_config.json of each analysis, from the model's specification.

The first three are for the check steps of the pipeline, which read a dataset with a header; the last two for the
monitors of an endpoint, which read captured traffic without one.

See:
    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-configure-analysis.html
"""

from typing import Any

from baton.specification.model import ModelSpecification

REPORT = {"name": "report", "title": "Analysis Report"}

# Kernel SHAP asks the model for this many variations of each row: enough for a dozen features to settle.
SHAP_SAMPLES = 100

PDP_VALUES = 15  # of a numerical feature


def inputs_of(model: ModelSpecification) -> list[str]:
    """What a request to the endpoint carries: the features, then the facets that are not features."""
    return [*model.features, *(facet for facet in model.facets if facet not in model.features)]


def facets_of(model: ModelSpecification) -> list[dict[str, Any]]:
    """The groups that may not be treated worse than the others."""
    return [{"name_or_index": facet, "value_or_threshold": list(values)} for facet, values in model.facets.items()]


def data_bias_question(model: ModelSpecification) -> dict[str, Any]:
    """How the groups differ in the data itself."""
    return {**_bias(model), "methods": {"pre_training_bias": {"methods": "all"}, "report": REPORT}}


def model_bias_question(model: ModelSpecification) -> dict[str, Any]:
    """How the groups differ in what the model predicts for them."""
    threshold = {} if model.serving.threshold is None else {"probability_threshold": model.serving.threshold}
    return {
        **_bias(model),
        "methods": {"post_training_bias": {"methods": "all"}, "report": REPORT},
        "predictor": _predictor(model),
        **threshold,
    }


def explainability_question(model: ModelSpecification) -> dict[str, Any]:
    """What the predictions rest on."""
    return {
        "dataset_type": "text/csv",
        "label": model.target.column,
        "methods": {"shap": _shap(model), "pdp": _pdp(model), "report": REPORT},
        "predictor": _predictor(model),
    }


def bias_monitor_question(model: ModelSpecification) -> dict[str, Any]:
    """The bias of live predictions, once their outcomes are known. The monitor merges the label in front."""
    return {
        "label": model.target.column,
        "headers": [model.target.column, *inputs_of(model)],
        "label_values_or_threshold": model.target.label_values_or_threshold,
        "facet": facets_of(model),
        **_condition(model),
    }


def explainability_monitor_question(model: ModelSpecification) -> dict[str, Any]:
    """What live predictions rest on."""
    return {"headers": inputs_of(model), "methods": {"shap": _shap(model)}, "predictor": _predictor(model)}


def _bias(model: ModelSpecification) -> dict[str, Any]:
    return {
        "dataset_type": "text/csv",
        "label": model.target.column,
        "label_values_or_threshold": model.target.label_values_or_threshold,
        "facet": facets_of(model),
        **_condition(model),
    }


def _condition(model: ModelSpecification) -> dict[str, Any]:
    """Within whose values the conditional demographic disparity compares."""
    return {} if model.fairness.condition_on is None else {"group_variable": model.fairness.condition_on}


def _shap(model: ModelSpecification) -> dict[str, Any]:
    """Without a baseline, Clarify takes the centre of the dataset by K-prototypes, which knows categories."""
    return {
        "num_clusters": 1,
        "num_samples": SHAP_SAMPLES,
        "agg_method": "mean_abs",
        "use_logit": False,
        "save_local_shap_values": True,
        "seed": model.training.seed,
    }


def _pdp(model: ModelSpecification) -> dict[str, Any]:
    """Of every feature, where Clarify by itself takes the ten that move the answers most."""
    return {"grid_resolution": PDP_VALUES, "features": list(model.features)}


def _predictor(model: ModelSpecification) -> dict[str, Any]:
    """The shadow endpoint that Clarify starts and ends. Its model is named by the step or the monitor."""
    return {
        "instance_type": model.serving.instance_type,
        "initial_instance_count": 1,
        "content_type": "text/csv",
        "accept_type": "text/csv",
    }
