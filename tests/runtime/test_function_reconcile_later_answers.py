"""Where answers come later, the workflow waits for them: an endpoint's that takes requests from S3, or a job's."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlparse

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from pipeline_scripts.functions import reconcile_prove_asynchronous, reconcile_prove_batch
from pipeline_scripts.functions.reconcile_prove_asynchronous import prove_asynchronously
from pipeline_scripts.functions.reconcile_prove_batch import CanaryTransform, prove_in_a_batch
from tests.runtime.reconcile_world import ENDPOINT, MODELS, STACK, World, clients, new_world

FOLDER = f"s3://{MODELS}/bank_churn/canary"
LOOKS = 3
"""How often the workflow looks before there is an answer."""

Ending = Literal["answers", "answers late", "fails", "never ends", "leaves nothing"]


@dataclass
class Later(World):
    """A world whose versions answer after some looks, in one of five ways."""

    ending: Ending = "answers"
    asked: list[str] = field(default_factory=list)
    looks: int = 0

    def at(self, uri: str, content: bytes) -> None:
        place = urlparse(uri)
        self.s3.put_object(Bucket=place.netloc, Key=place.path.lstrip("/"), Body=content)

    @property
    def answer(self) -> bytes:
        assert self.serving is not None
        return f"{self.versions[self.serving].probability}\n".encode()


class Asynchronous(Later):
    def proved(self, event: dict[str, Any]) -> dict[str, Any]:
        self.looks += 1
        if "asked" in event and self.looks > LOOKS and self.ending in ("answers", "fails"):
            name, content = ("answer", self.answer) if self.ending == "answers" else ("failure", b"no such column")
            self.at(event["asked"][name], content)
        return prove_asynchronously(
            event,
            ledger=self.ledger,
            cloudformation=self,
            sagemaker=self,
            runtime=self,
            s3=self.s3,
            stack_name=STACK,
            endpoint_name=ENDPOINT,
            canary_uri=f"{FOLDER}/requests/",
            now=self.now,
        )

    def invoke_endpoint_async(self, **request: Any) -> dict[str, str]:
        valid("sagemaker-runtime", "InvokeEndpointAsync", request)
        place = urlparse(request["InputLocation"])
        assert self.s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"].read() == b"1,2"
        self.asked.append(request["InputLocation"])
        number = len(self.asked)
        return {
            "OutputLocation": f"{FOLDER}/answers/{number}.out",
            "FailureLocation": f"{FOLDER}/failures/{number}.out",
        }


@dataclass
class Batch(Later):
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)

    def proved(self, event: dict[str, Any]) -> dict[str, Any]:
        return prove_in_a_batch(
            event,
            ledger=self.ledger,
            cloudformation=self,
            sagemaker=self,
            s3=self.s3,
            stack_name=STACK,
            transform=CanaryTransform(
                job_prefix=f"{ENDPOINT}-canary",
                requests_uri=f"{FOLDER}/requests",
                answers_uri=f"{FOLDER}/answers",
                instance_type="ml.m5.large",
                data_key="data-key",
                volume_key="volume-key",
            ),
            now=self.now,
        )

    def describe_stacks(self, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = super().describe_stacks(**request)
        answer["Stacks"][0]["Outputs"].append({"OutputKey": "ModelName", "OutputValue": "the-model"})
        return answer

    def create_transform_job(self, **request: Any) -> None:
        valid("sagemaker", "CreateTransformJob", request)
        if request["TransformJobName"] in self.jobs:
            raise ClientError({"Error": {"Code": "ResourceInUse", "Message": "exists"}}, "CreateTransformJob")
        self.asked.append(request["TransformJobName"])
        self.jobs[request["TransformJobName"]] = request

    def describe_transform_job(self, *, TransformJobName: str) -> dict[str, str]:
        self.looks += 1
        if self.looks <= LOOKS or self.ending == "never ends":
            return {"TransformJobStatus": "InProgress"}
        if self.ending == "fails":
            return {"TransformJobStatus": "Failed", "FailureReason": "no such column"}
        if self.ending == "answers":
            self.at(f"{self.jobs[TransformJobName]['TransformOutput']['S3OutputPath']}canary.csv.out", self.answer)
        return {"TransformJobStatus": "Completed"}

    def stop_transform_job(self, *, TransformJobName: str) -> None:
        self.stopped.append(TransformJobName)


def valid(service: str, operation: str, request: dict[str, Any]) -> None:
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    validate_parameters(request, model.input_shape)


@pytest.fixture(params=[Asynchronous, Batch])
def world(request: pytest.FixtureRequest) -> Iterator[Later]:
    with clients() as made:
        plain = new_world(*made)
        yield request.param(dynamodb=plain.dynamodb, s3=plain.s3, kms=plain.kms, key_arn=plain.key_arn)


def test_a_version_is_proven_by_the_answer_that_comes_later(world: Later) -> None:
    version = world.register(1)
    states = world.run()
    assert states.count("Prove") > LOOKS
    assert len(world.asked) == 1, "it is asked once, and looked at often"
    assert world.ledger.current()["package_arn"] == version.arn
    behind_an_endpoint = ("Deployment", "Endpoint") in world.lineage.kinds
    assert behind_an_endpoint == isinstance(world, Asynchronous)


def test_another_versions_answer_disproves_it(world: Later, monkeypatch: pytest.MonkeyPatch) -> None:
    version = world.register(1)
    monkeypatch.setattr(type(world), "answer", b"0.999\n")
    world.run()
    assert world.ledger.quarantined() >= {version.arn}
    assert world.ledger.current() == {}


@pytest.mark.parametrize("ending", ["fails", "never ends", "leaves nothing"])
def test_no_answer_is_no_proof(world: Later, ending: Ending, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reconcile_prove_asynchronous, reconcile_prove_batch):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 60)
    version = world.register(1)
    world.ending = ending
    world.run()
    assert world.ledger.quarantined() >= {version.arn}
    if isinstance(world, Batch):
        assert world.stopped == (world.asked[:1] if ending == "never ends" else [])


def test_a_repeated_call_starts_no_second_job() -> None:
    with clients() as made:
        plain = new_world(*made)
        world = Batch(dynamodb=plain.dynamodb, s3=plain.s3, kms=plain.kms, key_arn=plain.key_arn)
        world.register(1)
        event: dict[str, Any] = {}
        original = world.proved

        def twice(state: dict[str, Any]) -> dict[str, Any]:
            event.update(state)
            original(dict(state))
            return original(state)

        world.proved = twice  # type: ignore[method-assign]  # as Step Functions repeats a call whose answer was lost
        world.run()
        assert len(world.asked) == 1
        assert event["target"]["version"] == "1"
