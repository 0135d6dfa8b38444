"""What the registry says of a version, flat: also of one that no pipeline of Baton's registered."""

from typing import Any

import pytest

from pipeline_scripts.functions.reconcile_target import target_of
from tests.runtime.reconcile_world import CONTAINER

URL = "s3://models/bank_churn/run-1/output/model.tar.gz"
SAME = {"S3Uri": URL, "S3DataType": "S3Object", "CompressionType": "Gzip"}


def unsigned(*containers: dict[str, Any]) -> str:
    package = {
        "ModelPackageArn": "arn",
        "ModelPackageVersion": 1,
        "InferenceSpecification": {"Containers": list(containers)},
    }
    return target_of(package)["unsigned"]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"ImageDigest": "sha256:1", "ModelDataETag": "2", "Framework": "XGBOOST", "FrameworkVersion": "3.0-5"},
        {"ModelDataSource": {"S3DataSource": SAME}},
        {"AdditionalModelDataSources": []},
    ],
)
def test_what_only_describes_the_container_needs_no_signature(said: dict[str, Any]) -> None:
    assert unsigned({**CONTAINER, "ModelDataUrl": URL, **said}) == ""


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"AdditionalS3DataSource": {"S3Uri": "s3://theirs/"}}, "AdditionalS3DataSource"),
        ({"ModelDataSource": {"S3DataSource": {**SAME, "S3Uri": f"{URL}2"}}}, "ModelDataSource"),
        ({"ModelDataSource": {"S3DataSource": {**SAME, "S3DataType": "S3Prefix"}}}, "ModelDataSource"),
        ({"ModelDataSource": {"S3DataSource": {**SAME, "HubAccessConfig": {}}}}, "ModelDataSource"),
        ({"ProductId": "p", "AdditionalModelDataSources": [{}]}, "AdditionalModelDataSources, ProductId"),
        ({"OfNextYear": True}, "OfNextYear"),
    ],
)
def test_what_may_bring_other_bytes_is_named(said: dict[str, Any], named: str) -> None:
    assert unsigned({**CONTAINER, "ModelDataUrl": URL, **said}) == named


@pytest.mark.parametrize("count", [0, 2])
def test_a_version_has_one_container(count: int) -> None:
    assert unsigned(*[CONTAINER] * count) == f"{count} containers"
