"""Holds the arguments of pipeline steps against the service model that botocore validates requests with."""

import re
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

OPERATIONS = {
    "Processing": "CreateProcessingJob",
    "QualityCheck": "CreateProcessingJob",
    "ClarifyCheck": "CreateProcessingJob",
    "Training": "CreateTrainingJob",
    "Tuning": "CreateHyperParameterTuningJob",
    "Model": "CreateModel",
    "RegisterModel": "CreateModelPackage",
}
# What SageMaker Pipelines adds to each request itself.
GIVEN_BY_PIPELINES = {
    "CreateProcessingJob": {"ProcessingJobName": "pipelines-x"},
    "CreateTrainingJob": {"TrainingJobName": "pipelines-x"},
    "CreateHyperParameterTuningJob": {"HyperParameterTuningJobName": "pipelines-x"},
    "CreateModel": {"ModelName": "pipelines-x"},
    "CreateModelPackage": {},
}
DUMMIES = {"string": "dummy", "integer": 1, "long": 1, "float": 1.0, "double": 1.0, "boolean": True}
SERVICE = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))


def argument_errors(step: dict[str, Any]) -> list[str]:
    """What CreateX would refuse in the arguments of `step`, judged by the model alone."""
    operation = OPERATIONS.get(step["Type"])
    if operation is None:
        return []
    shape = SERVICE.operation_model(operation).input_shape
    assert shape is not None
    request = {**GIVEN_BY_PIPELINES[operation], **step["Arguments"]}
    report = ParamValidator().validate(_with_dummies(request, shape), shape).generate_report()
    return [*filter(None, report.splitlines()), *_literal_errors(request, shape, operation)]


def is_expression(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("Get", "Std:Join", "Std:JsonGet")


def _with_dummies(value: Any, shape: Shape | None) -> Any:
    """The request as it may look in an execution. Unknown members stay, so that botocore finds them."""
    if shape is None:
        return value
    if is_expression(value):
        return DUMMIES.get(shape.type_name, value)
    if shape.type_name == "structure" and isinstance(value, dict):
        return {key: _with_dummies(item, shape.members.get(key)) for key, item in value.items()}
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _with_dummies(item, shape.value) for key, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_with_dummies(item, shape.member) for item in value]
    return value


def _literal_errors(value: Any, shape: Shape | None, where: str) -> list[str]:
    """What botocore leaves to the service: choices, patterns and upper bounds."""
    if shape is None or is_expression(value):
        return []
    if shape.type_name == "structure" and isinstance(value, dict):
        pairs = [(item, shape.members.get(key), f"{where}.{key}") for key, item in value.items()]
    elif shape.type_name == "map" and isinstance(value, dict):
        pairs = [(key, shape.key, f"{where} key {key}") for key in value]
        pairs += [(item, shape.value, f"{where}.{key}") for key, item in value.items()]
    elif shape.type_name == "list" and isinstance(value, list):
        pairs = [(item, shape.member, f"{where}[{index}]") for index, item in enumerate(value)]
    else:
        return _scalar_errors(value, shape, where)
    errors = [error for item, inner, place in pairs for error in _literal_errors(item, inner, place)]
    return [*_bound_errors(len(value), shape, where), *errors]


def _scalar_errors(value: Any, shape: Shape, where: str) -> list[str]:
    if not isinstance(value, str):
        return _bound_errors(value, shape, where) if isinstance(value, (int, float)) else []
    errors = _bound_errors(len(value), shape, where)
    choices = getattr(shape, "enum", None)
    if choices and value not in choices:
        errors.append(f"{where}: {value!r} is not one of the model's choices")
    pattern = shape.metadata.get("pattern")
    # Java's \p{L} is unknown to Python; the metadata of a package has a test of its own.
    if pattern and "\\p{" not in pattern and not re.fullmatch(pattern, value):
        errors.append(f"{where}: {value!r} does not match {pattern}")
    return errors


def _bound_errors(measure: float, shape: Shape, where: str) -> list[str]:
    most = shape.metadata.get("max")
    return [f"{where}: {measure} is above {most}"] if most is not None and measure > most else []
