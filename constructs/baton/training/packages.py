"""The arguments of a registration: CreateModelPackage, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baton.training.references import Value


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Where the analyses of a version lie. They describe it, and its monitors later compare against them.

    Args:
        data_statistics: What the training data looked like.
        data_constraints: What later data must look like.
        quality_statistics: How well the model did on the hold-out.
        quality_constraints: How well it must do later.
        data_bias: Bias of the training data.
        model_bias: Bias of the predictions.
        explainability: What the predictions rest on.
        bias_config: What Clarify needs to repeat the bias analysis.
        explainability_config: What Clarify needs to repeat the attribution analysis.
    """

    data_statistics: Value
    data_constraints: Value
    quality_statistics: Value
    quality_constraints: Value
    data_bias: Value
    model_bias: Value
    explainability: Value
    bias_config: Value
    explainability_config: Value

    def metrics(self) -> dict[str, Any]:
        """The ModelMetrics of the request: what a person reads before approving."""
        return {
            "ModelDataQuality": self._data_quality(),
            "ModelQuality": self._model_quality(),
            "Bias": {
                "Report": _json(self.model_bias),
                "PreTrainingReport": _json(self.data_bias),
                "PostTrainingReport": _json(self.model_bias),
            },
            "Explainability": {"Report": _json(self.explainability)},
        }

    def drift_baselines(self) -> dict[str, Any]:
        """The DriftCheckBaselines of the request: what the monitors of the version compare with."""
        return {
            "ModelDataQuality": self._data_quality(),
            "ModelQuality": self._model_quality(),
            "Bias": {
                "ConfigFile": _json(self.bias_config),
                "PreTrainingConstraints": _json(self.data_bias),
                "PostTrainingConstraints": _json(self.model_bias),
            },
            "Explainability": {
                "ConfigFile": _json(self.explainability_config),
                "Constraints": _json(self.explainability),
            },
        }

    def _data_quality(self) -> dict[str, Any]:
        return {"Statistics": _json(self.data_statistics), "Constraints": _json(self.data_constraints)}

    def _model_quality(self) -> dict[str, Any]:
        return {"Statistics": _json(self.quality_statistics), "Constraints": _json(self.quality_constraints)}


@dataclass(frozen=True, kw_only=True)
class ModelPackage:
    """A new version in a model package group. It always enters pending: only a person may approve it.

    `card` is the content of its Model Card, as JSON.
    """

    group_name: str
    image: str
    model_data_url: Value
    environment: Mapping[str, str]
    instance_types: tuple[str, ...]
    evidence: Evidence
    card: Value
    properties: Mapping[str, Value]

    def render(self) -> dict[str, Any]:
        """The CreateModelPackage request."""
        container = {
            "Image": self.image,
            "ModelDataUrl": self.model_data_url,
            "Environment": dict(self.environment),
        }
        return {
            "ModelPackageGroupName": self.group_name,
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv", "application/json"],
                "SupportedResponseMIMETypes": ["text/csv", "application/json"],
                "SupportedRealtimeInferenceInstanceTypes": self.instance_types,
                "SupportedTransformInstanceTypes": self.instance_types,
            },
            "ModelMetrics": self.evidence.metrics(),
            "DriftCheckBaselines": self.evidence.drift_baselines(),
            "ModelCard": {"ModelCardContent": self.card, "ModelCardStatus": "PendingReview"},
            "CustomerMetadataProperties": dict(self.properties),
        }


def _json(s3_uri: Value) -> dict[str, Any]:
    return {"ContentType": "application/json", "S3Uri": s3_uri}
