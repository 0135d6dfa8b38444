"""The proof where versions answer in batches: a transform job of the stack's model answers a canary."""

import pytest

from pipeline_scripts.functions import reconcile_prove_batch
from tests.runtime.reconcile_kinds import BatchWorld
from tests.runtime.reconcile_memory import MemoryKms, MemoryObjects, MemoryTable


@pytest.fixture
def batch() -> BatchWorld:
    return BatchWorld(dynamodb=MemoryTable(), s3=MemoryObjects(), kms=MemoryKms(), key_arn=MemoryKms.ARN)


def test_a_version_is_proven_by_the_answer_of_its_job(batch: BatchWorld) -> None:
    batch.register(1)
    states = batch.run()
    assert states[-1] == "Done"
    assert states.count("Unanswered") == 3, "it looks every 15 seconds, and the job takes 40"
    assert batch.ledger.current()["config_name"] == "model-1"
    [request] = batch.started
    assert request["ModelName"] == "model-1"
    assert len(request["TransformJobName"]) <= 63
    assert (request["TransformOutput"]["KmsKeyId"], request["TransformResources"]["VolumeKmsKeyId"]) == (
        "data",
        "volumes",
    )
    assert batch.run("sweep") == ["Begin", "Choose", "Chosen", "Done"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("wrong answers", "the canary was answered 0.900000"), ("model error", "no module named inference")],
)
def test_a_version_whose_job_does_not_answer_rightly_is_quarantined(
    batch: BatchWorld, behaviour: str, reason: str
) -> None:
    batch.register(1)
    batch.run("first")
    bad = batch.register(2, behaviour=behaviour)
    batch.run("second")
    assert batch.ledger.quarantined() == {bad.arn}
    assert batch.parameters["ModelVersion"] == "1"
    [line] = [line for line in batch.ledger.history() if line["kind"] == "quarantined"]
    assert reason in line["reason"]


def test_a_job_that_does_not_end_is_stopped_and_proves_nothing(
    batch: BatchWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_prove_batch, "PATIENCE_SECONDS", 60)
    version = batch.register(1)
    batch.end = "never"
    batch.run()
    assert batch.ledger.quarantined() == {version.arn}
    assert batch.stopped == [request["TransformJobName"] for request in batch.started]


def test_a_batch_is_deployed_as_a_model_behind_no_endpoint(batch: BatchWorld) -> None:
    batch.register(1)
    batch.run()
    assert ("Deployment", "Endpoint") not in batch.lineage.kinds


def test_a_job_that_somebody_stops_is_told_and_blames_no_version(batch: BatchWorld) -> None:
    batch.register(1)
    batch.end = "Stopped"
    assert batch.run()[-1] == "Failed"
    assert batch.ledger.quarantined() == set()


@pytest.mark.parametrize("reason", ["CapacityError: no ml.m5.large", "InternalServerError: try again"])
def test_a_job_that_sagemaker_cannot_run_is_told_and_blames_no_version(batch: BatchWorld, reason: str) -> None:
    batch.register(1)
    batch.end, batch.failure = "Failed", reason
    assert batch.run()[-1] == "Failed"
    assert reason in batch.messages[-1]
    assert batch.ledger.quarantined() == set()
    batch.end = "Completed"
    batch.run("sweep")
    assert batch.ledger.current()["version"] == "1"


def test_a_job_that_the_model_fails_blames_the_version(batch: BatchWorld) -> None:
    version = batch.register(1)
    batch.end, batch.failure = "Failed", "AlgorithmError: CapacityError is not at the beginning"
    batch.run()
    assert batch.ledger.quarantined() == {version.arn}


def test_a_repeated_start_does_not_start_a_second_job(batch: BatchWorld) -> None:
    version = batch.register(1)
    batch.run()
    event = {
        "execution": "again",
        "generation": batch.ledger.acquire("again"),
        "target": {"package_arn": version.arn, "version": "1"},
        "canary": {"request": "1,2", "expected": version.probability},
        "previous_type": "",
        "proven_before": True,
    }
    first, repeated = batch.proved(event), batch.proved(event)
    assert first["asked"] == repeated["asked"]
    assert len(batch.started) == 2, "one for the run, one for the repeated call"
