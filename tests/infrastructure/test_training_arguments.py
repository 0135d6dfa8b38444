"""Every request that the pipeline will make is one that SageMaker's API knows."""

import copy
import json
import unicodedata
from collections.abc import Callable
from typing import Any, get_args

import pytest

from tests.infrastructure.api_arguments import OPERATIONS, argument_errors
from tests.infrastructure.pipeline_samples import Backend, sample_definition, steps_by_name

Steps = dict[str, dict[str, Any]]
BACKENDS = get_args(Backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_argument_is_wrong(backend: Backend) -> None:
    steps = steps_by_name(sample_definition(backend).render())

    assert {name: argument_errors(step) for name, step in steps.items() if argument_errors(step)} == {}
    assert {step["Type"] for step in steps.values()} - OPERATIONS.keys() == {"Condition", "Fail", "Lambda"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_definition_fits_inline(backend: Backend) -> None:
    """CloudFormation takes a definition of up to 100 KB in the template."""
    assert len(json.dumps(sample_definition(backend).render())) < 100_000


@pytest.mark.parametrize("backend", BACKENDS)
def test_metadata_of_a_version_fits_the_registry(backend: Backend) -> None:
    properties = steps_by_name(sample_definition(backend).render())["Register"]["Arguments"][
        "CustomerMetadataProperties"
    ]

    assert set(properties) == {
        "commit",
        "author",
        "dataset_hash",
        "dataset_uri",
        "evidence_uri",
        "evidence_sha256",
        "image",
        "artifact_sha256",
        "pipeline_execution",
        "reason",
    }
    for value in (properties["image"], "s3://evidence/bank_churn/abcdefghijkl", "0123abc", "ada@bank.example"):
        assert 1 <= len(value) <= 256
        assert all(character in "_.:/=+-@" or unicodedata.category(character)[0] in "LNZ" for character in value)


def _first_input(step: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = step["Arguments"]["ProcessingInputs"][0]
    return found


def _container(steps: Steps) -> dict[str, Any]:
    found: dict[str, Any] = steps["Register"]["Arguments"]["InferenceSpecification"]["Containers"][0]
    return found


FAULTS: dict[str, Callable[[Steps], object]] = {
    "an instance type that does not exist": lambda s: s["Train"]["Arguments"]["ResourceConfig"].update(
        InstanceType="ml.m5.huge"
    ),
    "a misspelt key": lambda s: s["Train"]["Arguments"].update(InputDataConfigg=[]),
    "a baseline that does not exist": lambda s: s["Register"]["Arguments"]["DriftCheckBaselines"]["Bias"].update(
        Foo={"ContentType": "application/json", "S3Uri": "s3://b/k"}
    ),
    "no role": lambda s: s["Preprocess"]["Arguments"].pop("RoleArn"),
    "an address that is not in S3": lambda s: _first_input(s["Gate"])["S3Input"].update(S3Uri="/tmp/data"),
    "a number as text": lambda s: s["Train"]["Arguments"]["StoppingCondition"].update(MaxRuntimeInSeconds="3600"),
    "a runtime beyond 5 days": lambda s: s["Evaluate"]["Arguments"]["StoppingCondition"].update(
        MaxRuntimeInSeconds=900_000
    ),
    "a hyper-parameter that is no text": lambda s: s["Train"]["Arguments"]["HyperParameters"].update(max_depth=4),
    "an upload mode of nobody's": lambda s: s["Bias"]["Arguments"]["ProcessingOutputConfig"]["Outputs"][0][
        "S3Output"
    ].update(S3UploadMode="Whenever"),
    "a mistyped approval status": lambda s: s["Register"]["Arguments"].update(ModelApprovalStatus="Pending"),
    "an eleventh input": lambda s: s["Gate"]["Arguments"]["ProcessingInputs"].extend([_first_input(s["Gate"])] * 10),
    "an environment variable that is too long": lambda s: s["Explain"]["Arguments"]["Environment"].update(
        PYTHONPATH="x" * 300
    ),
    "a subnet that is none": lambda s: s["Train"]["Arguments"]["VpcConfig"].update(Subnets=["subnet aaaa"]),
    "a reference where a structure belongs": lambda s: s["Train"]["Arguments"].update(
        AlgorithmSpecification={"Get": "Parameters.Algorithm"}
    ),
    "an image with a blank in its name": lambda s: _container(s).update(Image="sagemaker xgboost"),
    "an environment in the wrong place": lambda s: s["Register"]["Arguments"].update(Environment={"A": "b"}),
    "no security group": lambda s: s["Train"]["Arguments"]["VpcConfig"].update(SecurityGroupIds=[]),
    "a volume of less than nothing": lambda s: s["Train"]["Arguments"]["ResourceConfig"].update(VolumeSizeInGB=-1),
    "isolation that is no truth value": lambda s: s["Train"]["Arguments"].update(EnableNetworkIsolation="yes"),
    "a metadata name that is too long": lambda s: s["Register"]["Arguments"]["CustomerMetadataProperties"].update(
        {"k" * 129: "a"}
    ),
    "metadata that is too long": lambda s: s["Register"]["Arguments"]["CustomerMetadataProperties"].update(
        commit="a" * 257
    ),
    "a key that no key is named": lambda s: s["Train"]["Arguments"]["OutputDataConfig"].update(KmsKeyId="k" * 2049),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_seeded_fault_is_caught(fault: str) -> None:
    steps = steps_by_name(copy.deepcopy(sample_definition("open").render()))
    FAULTS[fault](steps)

    assert [name for name, step in steps.items() if argument_errors(step)]
