"""An environment that takes its versions from another's registry serves what its own officer approved, and no more."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from pipeline_scripts.functions.lineage_words import of_sagemaker
from pipeline_scripts.functions.reconcile_choose import Rules, desired_version
from pipeline_scripts.functions.stages import approved_for
from tests.runtime.reconcile_world import GROUP, World, clients, new_world

Life = dict[str, str]


@dataclass
class StagedWorld(World):
    """A world whose versions have stages, as one of several environments sees it.

    Args:
        stages: What the environment's function is told.
        lives: By version, what was decided for a stage.
    """

    stages: tuple[str, ...] = ()
    lives: dict[int, Life] = field(default_factory=dict)

    def decide_for(self, number: int, stage: str, status: str, *, by: str = "officer") -> None:
        self.lives[number] = {"Stage": stage, "StageStatus": status, "StageDescription": f"{status} for {stage}"}
        self.approver = by

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        package = super().describe_model_package(ModelPackageName=ModelPackageName)
        life = self.lives.get(package["ModelPackageVersion"])
        note = {"ApprovalDescription": "sound"}
        return {**package, **note, **({"ModelLifeCycle": life} if life else {})}

    @property
    def rules(self) -> Rules:
        return replace(super().rules, stages=self.stages)


@pytest.fixture(scope="module")
def aws() -> Iterator[tuple[Any, Any]]:
    with clients() as made:
        yield made


def in_environment(aws: tuple[Any, Any], *stages: str) -> StagedWorld:
    plain = new_world(*aws)
    return StagedWorld(dynamodb=plain.dynamodb, s3=plain.s3, kms=plain.kms, key_arn=plain.key_arn, stages=stages)


@pytest.fixture
def prod(aws: tuple[Any, Any]) -> StagedWorld:
    return in_environment(aws, "prod")


def test_a_version_that_is_approved_where_it_was_trained_alone_is_not_served(prod: StagedWorld) -> None:
    prod.register(1)
    assert prod.run() == ["Begin", "Choose", "Chosen", "Done"]
    assert prod.serving is None


def test_where_the_registry_is_ones_own_the_same_version_is_served(aws: tuple[Any, Any]) -> None:
    staging = in_environment(aws)
    staging.register(1)
    staging.decide_for(1, "prod", "Rejected")
    staging.run()
    assert staging.serving == 1, "what another environment decides is nothing to the one that trained it"


def test_a_version_that_is_approved_for_the_stage_is_served_with_its_own_note(prod: StagedWorld) -> None:
    version = prod.register(1)
    prod.register(2)  # approved where it was trained, and nowhere else
    prod.decide_for(1, "prod", "Approved", by="prods-officer")
    assert prod.run()[-1] == "Done"
    assert prod.serving == 1
    current = prod.ledger.current()
    assert current["package_arn"] == version.arn
    assert current["approval_note"] == "Approved for prod"
    assert current["approver"].endswith("/prods-officer")


@pytest.mark.parametrize("status", ["Rejected", "PendingManualApproval"])
def test_a_rejection_where_it_was_trained_withdraws_it_everywhere(prod: StagedWorld, status: str) -> None:
    prod.register(1)
    prod.decide_for(1, "prod", "Approved")
    prod.run()
    prod.decide(1, status)
    prod.run()
    assert prod.serving is None


def test_a_rejection_for_the_stage_brings_the_last_one_back(prod: StagedWorld) -> None:
    for number in (1, 2):
        prod.register(number)
        prod.decide_for(number, "prod", "Approved")
    prod.run()
    assert prod.serving == 2
    prod.decide_for(2, "prod", "Rejected")
    prod.run()
    assert prod.serving == 1


def test_the_author_of_a_version_does_not_approve_it_for_a_stage_either(prod: StagedWorld) -> None:
    prod.register(1)
    prod.decide_for(1, "prod", "Approved", by="ada@bank.example")
    prod.run()
    assert prod.serving is None
    assert any("refused" in notice for notice in prod.notices)


@pytest.mark.parametrize(
    ("life", "staging", "prod"),
    [
        (None, False, False),
        ({"Stage": "staging", "StageStatus": "Approved"}, True, False),
        ({"Stage": "staging", "StageStatus": "Rejected"}, False, False),
        ({"Stage": "prod", "StageStatus": "Approved"}, True, True),
        ({"Stage": "prod", "StageStatus": "Rejected"}, True, False),
        ({"Stage": "Production", "StageStatus": "Approved"}, False, False),
        ({"Stage": "prod", "StageStatus": "approved"}, True, False),
    ],
)
def test_a_version_passes_the_stages_in_their_order(life: Life | None, staging: bool, prod: bool) -> None:
    package = {} if life is None else {"ModelLifeCycle": life}
    assert approved_for(package, ("staging", "prod")) is staging
    assert approved_for(package, ("prod",)) is prod
    assert approved_for(package, ())


def test_a_stage_does_not_stand_for_the_registrys_own_verdict(prod: StagedWorld) -> None:
    prod.register(1, status="PendingManualApproval")
    prod.decide_for(1, "prod", "Approved")
    assert desired_version(prod, group=GROUP, quarantined=set(), stages=("prod",)) is None


def test_lineage_finds_the_endpoint_where_it_serves_and_not_where_its_version_was_trained() -> None:
    topic = "arn:aws-cn:sns:cn-north-1:333333333333:people"
    found = of_sagemaker("endpoint", "baton-prod-bank-churn", beside=topic)
    assert found == "arn:aws-cn:sagemaker:cn-north-1:333333333333:endpoint/baton-prod-bank-churn"
