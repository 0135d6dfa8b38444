"""The proof where versions answer in batches: a transform job of the stack's model answers a canary."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import validate_parameters

from pipeline_scripts.functions import reconcile_prove_batch
from pipeline_scripts.functions.reconcile_choose import Rules
from pipeline_scripts.functions.reconcile_prove_batch import prove_in_a_batch
from tests.runtime.reconcile_memory import MemoryKms, MemoryObjects, MemoryTable
from tests.runtime.reconcile_world import STACK, World, refused

BUCKET = "monitoring"
LATER = 2
"""How many looks a job takes."""
TRANSFORM = get_session().get_service_model("sagemaker").operation_model("CreateTransformJob").input_shape


@dataclass
class BatchWorld(World):
    """A world without an endpoint: its stack holds a model, and transform jobs ask it."""

    jobs: dict[str, int] = field(default_factory=dict)
    end: str = "Completed"
    started: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    @property
    def rules(self) -> Rules:
        return Rules(**{**vars(super().rules), "endpoint_name": None})

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        answer = super().describe_stacks(StackName=StackName)
        answer["Stacks"][0]["Outputs"].append({"OutputKey": "ModelName", "OutputValue": f"model-{self.serving}"})
        return answer

    def describe_model(self, *, ModelName: str) -> dict[str, Any]:
        return {"PrimaryContainer": {"ModelPackageName": self.versions[int(ModelName.removeprefix("model-"))].arn}}

    def create_transform_job(self, **request: Any) -> None:
        validate_parameters(request, TRANSFORM)
        if request["TransformJobName"] in self.jobs:
            raise refused("ResourceInUse", "there is a job of this name", "CreateTransformJob")
        self.jobs[request["TransformJobName"]] = LATER
        self.started.append(request)

    def describe_transform_job(self, *, TransformJobName: str) -> dict[str, Any]:
        self.jobs[TransformJobName] -= self.end != "never"
        if self.jobs[TransformJobName] > 0:
            return {"TransformJobStatus": "InProgress"}
        version = self.versions[self.serving or 0]
        if version.behaviour == "model error":
            return {"TransformJobStatus": "Failed", "FailureReason": "no module named inference"}
        answer = 0.9 if version.behaviour == "wrong answers" else version.probability
        place = f"bank_churn/batch/canary-answers/{TransformJobName}.csv.out"
        self.s3.put_object(Bucket=BUCKET, Key=place, Body=f"{answer}\n".encode())
        return {"TransformJobStatus": self.end}

    def stop_transform_job(self, *, TransformJobName: str) -> None:
        self.stopped.append(TransformJobName)

    def proved(self, event: dict[str, Any]) -> dict[str, Any]:
        return prove_in_a_batch(
            event,
            ledger=self.ledger,
            cloudformation=self,
            sagemaker=self,
            s3=self.s3,
            stack_name=STACK,
            job_prefix="baton-dev-bank-churn-canary",
            canary_uri=f"s3://{BUCKET}/bank_churn/batch/canaries/",
            resources={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeKmsKeyId": "volumes"},
            output={"S3OutputPath": f"s3://{BUCKET}/bank_churn/batch/canary-answers/", "KmsKeyId": "data"},
            now=self.now,
        )


@pytest.fixture
def batch() -> BatchWorld:
    return BatchWorld(dynamodb=MemoryTable(), s3=MemoryObjects(), kms=MemoryKms(), key_arn=MemoryKms.ARN)


def test_a_version_is_proven_by_the_answer_of_its_job(batch: BatchWorld) -> None:
    batch.register(1)
    states = batch.run()
    assert states[-1] == "Done"
    assert states.count("Unanswered") == LATER
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
