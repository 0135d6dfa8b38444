"""A version beside the one that serves: it stays while it may and is what was signed, and is not asked in its place."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline_scripts.functions.reconcile_beside import CHALLENGER, SHADOW
from tests.runtime.reconcile_kinds import TwoVersions
from tests.runtime.reconcile_world import CONTAINER, GROUP, MODELS, clients, new_world, refused

SWEEP = ["Begin", "Choose", "Chosen", "Done"]
ARTIFACTS = f"s3://{MODELS}/bank_churn"


@pytest.fixture
def world() -> Iterator[TwoVersions]:
    with clients() as made:
        plain = new_world(*made)
        found = TwoVersions(dynamodb=plain.dynamodb, s3=plain.s3, kms=plain.kms, key_arn=plain.key_arn)
        found.parameters |= {CHALLENGER: "none", SHADOW: "none"}
        yield found


def beside(world: TwoVersions, parameter: str, number: int, status: str) -> None:
    """Serve version 5, with another beside it."""
    world.register(5)
    other = world.register(number, status=status)
    world.run("first")
    world.name(parameter, other.number)
    world.run("second")


def test_the_approved_version_is_proven_and_not_its_challenger(world: TwoVersions) -> None:
    beside(world, CHALLENGER, 3, "Approved")
    assert world.ledger.quarantined() == set()
    assert world.ledger.current()["version"] == "5"
    assert world.parameters[CHALLENGER].endswith("/3"), "a person named it, and the registry has nothing against it"


@pytest.mark.parametrize(
    ("parameter", "status", "stays"),
    [
        (CHALLENGER, "Approved", True),
        (CHALLENGER, "PendingManualApproval", False),
        (CHALLENGER, "Rejected", False),
        (SHADOW, "Approved", True),
        (SHADOW, "PendingManualApproval", True),
        (SHADOW, "Rejected", False),
    ],
)
def test_who_may_stand_beside_the_approved_version(
    world: TwoVersions, parameter: str, status: str, stays: bool
) -> None:
    beside(world, parameter, 3, status)
    assert (world.parameters[parameter] != "none") is stays
    assert world.parameters["ModelVersion"] == "5"
    assert world.ledger.current()["config_name"] == world.config


@pytest.mark.parametrize("parameter", [CHALLENGER, SHADOW])
def test_a_rejection_takes_it_away(world: TwoVersions, parameter: str) -> None:
    beside(world, parameter, 3, "Approved")
    world.decide(3, "Rejected")
    world.run("third")
    assert (world.parameters[parameter], world.parameters["ModelVersion"]) == ("none", "5")
    updates = len(world.updates)
    assert world.run("sweep") == SWEEP
    assert len(world.updates) == updates


def test_a_quarantined_version_does_not_stay(world: TwoVersions) -> None:
    world.register(3, behaviour="wrong answers")
    world.run("first")
    world.register(2)
    world.run("second")
    assert world.parameters["ModelVersion"] == "2"
    world.parameters[CHALLENGER] = world.versions[3].arn
    world.run("third")
    assert world.parameters[CHALLENGER] == "none"


def test_a_version_that_the_registry_forgot_does_not_stay(world: TwoVersions, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(world, CHALLENGER, 3, "Approved")
    known: Callable[..., dict[str, Any]] = world.describe_model_package

    def describe(*, ModelPackageName: str) -> dict[str, Any]:
        if ModelPackageName.endswith("/3"):
            raise refused("ValidationException", "does not exist", "DescribeModelPackage")
        return known(ModelPackageName=ModelPackageName)

    del world.versions[3]
    monkeypatch.setattr(world, "describe_model_package", describe)
    world.run("third")
    assert world.parameters[CHALLENGER] == "none"


def serving(**changed: Any) -> dict[str, Any]:
    """What a package says it is served with, of which something was changed."""
    honest = {**CONTAINER, "ModelDataUrl": f"{ARTIFACTS}/run-3/output/model.tar.gz"}
    return {"InferenceSpecification": {"Containers": [honest | changed]}}


def decided_by(person: str) -> dict[str, Any]:
    return {"LastModifiedBy": {"IamIdentity": {"Arn": f"arn:aws:sts::000000000000:assumed-role/officer/{person}"}}}


UNSIGNED = {"CustomerMetadataProperties": {}}
REWRITTEN = {
    "another artefact": (serving(ModelDataUrl=f"{ARTIFACTS}/run-5/output/model.tar.gz"), "the model artefact has"),
    "an artefact elsewhere": (serving(ModelDataUrl="s3://theirs/model.tar.gz"), "does not lie in models"),
    "an address of two readings": (serving(ModelDataUrl=f"{ARTIFACTS}/run-3/output/model.tar.gz#x"), "names no object"),
    "another environment": (serving(Environment={"SAGEMAKER_PROGRAM": "theirs.py"}), "another container environment"),
    "another image": (serving(Image="theirs/image:1"), "another image"),
    "two containers": (
        {"InferenceSpecification": {"Containers": [CONTAINER, CONTAINER]}},
        "it has 2 containers, which",
    ),
    "more data": (
        serving(AdditionalS3DataSource={"S3Uri": "s3://theirs/x"}),
        "it has AdditionalS3DataSource, which no",
    ),
    "another source": (serving(ModelDataSource={"S3DataSource": {"S3Uri": "s3://theirs/"}}), "it has ModelDataSource,"),
    "no evidence": (UNSIGNED, "no signed evidence was registered"),
}


@pytest.mark.parametrize("parameter", [CHALLENGER, SHADOW])
@pytest.mark.parametrize("what", REWRITTEN)
def test_a_version_that_was_rewritten_after_its_approval_does_not_stay(
    world: TwoVersions, parameter: str, what: str
) -> None:
    world.rewritten[3], why = REWRITTEN[what]
    beside(world, parameter, 3, "Approved")
    assert world.parameters[parameter] == "none"
    assert (world.serving, world.parameters["ModelVersion"], world.config) == (5, "5", "config-5")
    role = {CHALLENGER: "challenger", SHADOW: "shadow"}[parameter]
    line = world.ledger.history()[-1]
    assert (line["kind"], line["version"]) == ("served", "5")
    assert f"; {role} {GROUP}/3 is taken away: " in line["reason"]
    assert why in line["reason"]
    assert line["reason"] in world.messages[-1]
    assert world.ledger.quarantined() == set(), "it is for its own turn to serve to judge that"
    assert world.run("sweep") == SWEEP


def test_a_version_that_is_rewritten_while_it_stands_does_not_stay(world: TwoVersions) -> None:
    beside(world, CHALLENGER, 3, "Approved")
    world.rewritten[3] = serving(Environment={"SAGEMAKER_PROGRAM": "theirs.py"})
    world.run("third")
    assert (world.parameters[CHALLENGER], world.parameters["ModelVersion"]) == ("none", "5")


def test_a_tampered_artefact_does_not_stay(world: TwoVersions) -> None:
    world.register(3)
    world.run("first")
    world.register(5)
    world.run("second")
    world.s3.put_object(Bucket=MODELS, Key="bank_churn/run-3/output/model.tar.gz", Body=b"another")
    world.parameters[CHALLENGER] = world.versions[3].arn
    world.run("third")
    assert (world.parameters[CHALLENGER], world.parameters["ModelVersion"]) == ("none", "5")


@pytest.mark.parametrize(("parameter", "stays"), [(CHALLENGER, False), (SHADOW, True)])
def test_only_what_answers_needs_another_approver_than_its_author(
    world: TwoVersions, parameter: str, stays: bool
) -> None:
    world.rewritten[3] = decided_by("ada")
    beside(world, parameter, 3, "Approved")
    assert (world.parameters[parameter] != "none") is stays
    assert ("its author ada@bank.example approved it" in world.ledger.current()["reason"]) is not stays


@pytest.mark.parametrize(
    ("parameter", "status"), [(CHALLENGER, "Approved"), (SHADOW, "Approved"), (SHADOW, "PendingManualApproval")]
)
def test_a_valid_version_stays_without_any_update_and_is_verified_once(
    world: TwoVersions, monkeypatch: pytest.MonkeyPatch, parameter: str, status: str
) -> None:
    beside(world, parameter, 3, status)
    assert (world.parameters[parameter], len(world.updates)) == (world.versions[3].arn, 1)
    assert "taken away" not in world.ledger.current()["reason"]
    monkeypatch.setattr(world, "s3", None)
    assert world.run("sweep") == SWEEP


def test_one_that_stood_there_before_anybody_verified_it_is_verified(world: TwoVersions) -> None:
    beside(world, CHALLENGER, 3, "Approved")
    proven = world.ledger.current()
    del proven["beside_sha256"]
    world.ledger.serve(proven)
    assert "Verify" in world.run("third")
    assert world.run("sweep") == SWEEP


def test_the_reason_of_a_withdrawn_approval_is_told_as_well(world: TwoVersions) -> None:
    beside(world, CHALLENGER, 3, "Approved")
    world.decide(3, "Rejected")
    world.run("third")
    assert f"; challenger {GROUP}/3 is taken away: it is Rejected" in world.ledger.history()[-1]["reason"]
    assert world.notices[-1].endswith("serves version 5")


def test_it_goes_before_it_ever_answers_when_a_version_comes_after_it(world: TwoVersions) -> None:
    """While nothing serves, a parameter may name what it likes; the update that brings a version takes it away."""
    world.register(3)
    world.rewritten[3] = UNSIGNED
    world.parameters[CHALLENGER] = world.versions[3].arn
    world.register(5)
    world.run("first")
    [update] = world.updates
    assert {"ParameterKey": CHALLENGER, "ParameterValue": "none"} in update["Parameters"]
    assert (world.serving, world.config) == (5, "config-5")


def failing(world: TwoVersions, patch: pytest.MonkeyPatch, code: str, call: str) -> None:
    """Let a service say this of version 3, and of no other."""
    client, name = {"GetObject": (world.s3, "get_object"), "Verify": (world.kms, "verify")}[call]
    real: Callable[..., Any] = getattr(client, name)
    digest = bytes.fromhex(world.sealed[3])

    def answer(**request: Any) -> Any:
        if "run-3/" in request.get("Key", "") or request.get("Message") == digest:
            raise refused(code, "not now", call)
        return real(**request)

    patch.setattr(client, name, answer)


@pytest.mark.parametrize("parameter", [CHALLENGER, SHADOW])
@pytest.mark.parametrize(
    ("code", "call"), [("SlowDown", "GetObject"), ("InternalError", "GetObject"), ("ThrottlingException", "Verify")]
)
def test_a_service_that_does_not_answer_takes_nobody_away(
    world: TwoVersions, monkeypatch: pytest.MonkeyPatch, parameter: str, code: str, call: str
) -> None:
    world.register(5)
    world.register(3)
    world.run("first")
    world.parameters[parameter] = world.versions[3].arn
    world.config = "config-5-3"
    with monkeypatch.context() as patch:
        failing(world, patch, code, call)
        states = world.run("second")
    assert (states[-1], world.parameters[parameter]) == ("Failed", world.versions[3].arn)
    assert states.count("Verify") == 1, "the workflow's own retries are within the state"
    assert world.run("third")[-1] == "Done"
    assert (world.parameters[parameter], len(world.updates)) == (world.versions[3].arn, 1)


@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException"])
def test_what_stays_unreadable_does_not_stay(world: TwoVersions, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Else whoever laid its artefact where this role may not read would have it answer for ever."""
    world.register(5)
    world.register(3)
    world.run("first")
    world.parameters[CHALLENGER] = world.versions[3].arn
    failing(world, monkeypatch, code, "GetObject")
    assert world.run("second")[-1] == "Done"
    assert (world.parameters[CHALLENGER], world.parameters["ModelVersion"]) == ("none", "5")
    assert f"cannot be read: {code}" in world.ledger.current()["reason"]


@pytest.mark.parametrize(("code", "stays"), [("AccessDeniedException", False), ("ThrottlingException", True)])
def test_a_version_of_another_group_does_not_stay_but_a_slow_registry_takes_nobody_away(
    world: TwoVersions, monkeypatch: pytest.MonkeyPatch, code: str, stays: bool
) -> None:
    beside(world, CHALLENGER, 3, "Approved")
    known: Callable[..., dict[str, Any]] = world.describe_model_package

    def describe(*, ModelPackageName: str) -> dict[str, Any]:
        if ModelPackageName.endswith("/3"):
            raise refused(code, "not this one", "DescribeModelPackage")
        return known(ModelPackageName=ModelPackageName)

    monkeypatch.setattr(world, "describe_model_package", describe)
    assert world.run("third")[-1] == ("Failed" if stays else "Done")
    assert (world.parameters[CHALLENGER] != "none") is stays


def test_a_version_with_more_than_was_signed_does_not_come_to_serve(world: TwoVersions) -> None:
    world.register(5)
    world.run("first")
    world.register(6)
    world.rewritten[6] = serving(AdditionalS3DataSource={"S3Uri": "s3://theirs/x"})
    world.run("second")
    assert world.serving == 5
    assert world.ledger.quarantined() == {world.versions[6].arn}
    assert "AdditionalS3DataSource" in world.messages[-1]


@pytest.mark.parametrize("parameter", [CHALLENGER, SHADOW])
def test_a_version_comes_alone_where_nothing_serves_so_that_another_cannot_have_it_blamed(
    world: TwoVersions, parameter: str
) -> None:
    """The other one is approved, named early, and cannot start."""
    world.name(parameter, world.register(3, behaviour="broken stack").number)
    world.register(5)
    world.run("first")
    assert (world.serving, world.parameters[parameter]) == (5, "none")
    assert world.ledger.quarantined() == set()
    assert f"{GROUP}/3 is taken away: a version comes alone where none serves" in world.messages[-1]
    assert world.run("sweep") == SWEEP


def test_a_version_comes_back_alone_to_an_endpoint_that_was_lost(world: TwoVersions) -> None:
    beside(world, CHALLENGER, 3, "Approved")
    world.endpoint_status = "Failed"
    world.run("third")
    assert (world.serving, world.endpoint_status, world.beside) == (5, "InService", {})
    assert world.parameters[CHALLENGER] == "none"


@pytest.mark.parametrize("parameter", [CHALLENGER, SHADOW])
def test_a_rejected_one_that_sagemaker_brought_back_is_told_at_every_sweep(world: TwoVersions, parameter: str) -> None:
    """The endpoint went back to two versions, which were proven, while the stack asks for one."""
    beside(world, parameter, 3, "Approved")
    world.parameters[parameter] = "none"
    world.decide(3, "Rejected")
    assert world.beside == {parameter: 3}
    for sweep in ("first sweep", "second sweep"):
        assert world.run(sweep)[-1] == "Failed"
        assert "SageMaker rolled the deployment back" in world.messages[-1]
    assert world.ledger.quarantined() == set()


def test_a_deployment_by_a_person_that_crosses_the_proof_blames_nobody(world: TwoVersions) -> None:
    """The endpoint runs another configuration already, and the stack does not say so yet."""
    world.register(3)
    world.register(5)
    first = world.start("first")
    while next(first) != "Prove":
        pass
    world.name(CHALLENGER, 3)
    assert list(first)[-1] == "Failed"
    assert "somebody else is changing it" in world.messages[-1]
    assert world.ledger.quarantined() == set()
    world.run("sweep")
    assert world.ledger.current()["config_name"] == world.config == "config-5-3"


def test_machines_on_trial_are_refused_when_they_keep_a_rejected_one_from_going(world: TwoVersions) -> None:
    """SageMaker went back from them, and a configuration without the rejected one cannot come to be on them."""
    world.scale("ml.m5.large")
    beside(world, SHADOW, 3, "Approved")
    world.instance_type = world.parameters["InstanceType"] = "ml.p5.48xlarge"
    world.decide(3, "Rejected")
    world.run("sweep")
    assert world.ledger.unfit() == {"ml.p5.48xlarge": "ml.m5.large"}
    assert (world.serving, world.beside, world.config) == (5, {}, "config-5-ml.m5.large")
