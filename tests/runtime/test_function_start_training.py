"""Automatic trainings are rare, manual ones never blocked, and one event starts one execution."""

import itertools
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from pipeline_scripts.functions.dataset_pointer import DatasetError
from pipeline_scripts.functions.start_training import Training, answer_to, handler, read_request
from pipeline_scripts.functions.training_brake import WEEK_SECONDS
from tests.runtime.lineage_told import LineageTold

HOUR = 3600.0
BUCKET = "curated"
TABLE = "starts"
NUMBERS = itertools.count()
POINTER = {
    "run_id": "r1",
    "dataset_uri": f"s3://{BUCKET}/bank_churn/runs/r1/",
    "manifest_uri": f"s3://{BUCKET}/bank_churn/runs/r1/_manifest.json",
    "dataset_hash": "ab" * 32,
    "rows": 10,
}


@dataclass
class World:
    """Real clients: S3 and DynamoDB of moto, and a pipeline that only remembers what it was asked."""

    s3: Any
    dynamodb: Any
    sagemaker: Any
    model: str
    now: float = 1_800_000_000.0
    requests: list[dict[str, Any]] = field(default_factory=list)
    refuse_with: int | None = None
    lineage: LineageTold = field(default_factory=LineageTold)

    def answer(self, event: Any, *, request_id: str = "request-1", cooldown: int = 24, cap: int = 3) -> dict[str, Any]:
        training = Training(
            pipeline="baton-dev-bank-churn",
            model=self.model,
            bucket=BUCKET,
            table=TABLE,
            cooldown_hours=cooldown,
            max_per_week=cap,
        )
        return answer_to(
            event,
            request_id=request_id,
            training=training,
            s3=self.s3,
            dynamodb=self.dynamodb,
            sagemaker=self.sagemaker,
            lineage=self.lineage,
            clock=lambda: self.now,
        )

    def start_execution(self, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        """Stands where botocore would send the request, so that its own validation has passed."""
        request = json.loads(params["body"])
        if self.refuse_with is not None:
            error = {"Code": "Refused", "Message": "not today"}
            parsed = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": self.refuse_with}}
            return AWSResponse("", self.refuse_with, HTTPHeaders(), None), parsed
        self.requests.append(request)
        arn = f"arn:aws:sagemaker:eu-west-1:000000000000:pipeline/p/execution/{request['ClientRequestToken'][:12]}"
        return AWSResponse("", 200, HTTPHeaders(), None), {"PipelineExecutionArn": arn}

    def publish(self, pointer: Any = POINTER) -> None:
        body = pointer if isinstance(pointer, bytes) else json.dumps(pointer).encode()
        self.s3.put_object(Bucket=BUCKET, Key=f"{self.model}/current.json", Body=body)

    def records(self) -> list[dict[str, Any]]:
        items = self.dynamodb.query(
            TableName=TABLE,
            KeyConditionExpression="#m = :m AND begins_with(entry, :start)",
            ExpressionAttributeNames={"#m": "model"},
            ExpressionAttributeValues={":m": {"S": self.model}, ":start": {"S": "start#"}},
        )["Items"]
        return [{name: value["S"] for name, value in item.items()} for item in items]


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "model", "KeyType": "HASH"}, {"AttributeName": "entry", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "model", "AttributeType": "S"},
                {"AttributeName": "entry", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield {"s3": s3, "dynamodb": dynamodb, "sagemaker": boto3.client("sagemaker")}


@pytest.fixture
def world(services: dict[str, Any]) -> Iterator[World]:
    """A model that nobody has trained yet: its name keeps it apart from the models of other tests."""
    world = World(**services, model=f"model_{next(NUMBERS)}")
    world.publish()
    hook = ("before-call.sagemaker.StartPipelineExecution", world.start_execution)
    world.sagemaker.meta.events.register(*hook)
    yield world
    world.sagemaker.meta.events.unregister(*hook)


def alarm(identity: str, *, state: str = "ALARM", name: str = "baton-dev-bank-churn-drift") -> dict[str, Any]:
    return {
        "version": "0",
        "id": identity,
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "detail": {"alarmName": name, "state": {"value": state, "reason": "Threshold Crossed"}},
    }


def parameters(request: dict[str, Any]) -> dict[str, str]:
    return {item["Name"]: item["Value"] for item in request["PipelineParameters"]}


def test_lineage_is_told_the_cause(world: World) -> None:
    arn = "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:baton-dev-bank-churn-drift"
    answer = world.answer({**alarm("event-9"), "resources": [arn]})
    assert world.lineage.kinds == {("CuratedDataset", "PipelineExecution"), ("Alarm", "PipelineExecution")}
    assert world.lineage.address("Alarm") == arn
    assert world.lineage.address("PipelineExecution") == answer["execution_arn"]
    assert world.lineage.address("CuratedDataset") == POINTER["dataset_uri"].rstrip("/")  # type: ignore[union-attr]


def test_lineage_is_told_nothing_of_a_training_that_did_not_start(world: World) -> None:
    world.answer(alarm("event-9", state="OK"))
    assert world.lineage.links == []


def test_a_person_starts_the_pipeline_on_the_current_dataset(world: World) -> None:
    answer = world.answer({"reason": "manual", "author": "ada@bank.example"})

    assert answer["started"] and answer["execution_arn"].startswith("arn:")
    (request,) = world.requests
    assert request["PipelineName"] == "baton-dev-bank-churn"
    assert parameters(request) == {
        "DatasetUri": POINTER["dataset_uri"],
        "DatasetHash": POINTER["dataset_hash"],
        "Reason": "manual",
        "Author": "ada@bank.example",
    }


def test_without_an_author_the_deployments_stands(world: World) -> None:
    world.answer({"reason": "manual"})

    assert "Author" not in parameters(world.requests[0])


def test_every_start_is_recorded(world: World) -> None:
    answer = world.answer({"reason": "manual", "author": "ada@bank.example"})
    world.now += HOUR
    world.answer(alarm("e1"))

    manual, automatic = world.records()
    assert manual["reason"] == "manual" and manual["author"] == "ada@bank.example"
    assert manual["execution_arn"] == answer["execution_arn"]
    assert manual["dataset_hash"] == POINTER["dataset_hash"]
    assert automatic["reason"] == "alarm: baton-dev-bank-churn-drift"


def test_an_alarm_retrains_once_per_cooldown(world: World) -> None:
    assert world.answer(alarm("e1"))["started"]
    world.now += 24 * HOUR - 1
    refused = world.answer(alarm("e2"))
    world.now += 1
    assert world.answer(alarm("e3"))["started"]

    assert not refused["started"] and "24 hours must pass" in refused["why"]


def test_the_weekly_cap_holds_after_the_cooldown(world: World) -> None:
    for number in range(3):
        assert world.answer(alarm(f"e{number}"))["started"]
        world.now += 25 * HOUR
    refused = world.answer(alarm("e4"))
    world.now += WEEK_SECONDS
    assert world.answer(alarm("e5"))["started"]

    assert not refused["started"] and "3 are allowed" in refused["why"]


def test_the_brake_never_holds_a_person(world: World) -> None:
    world.answer(alarm("e1"))

    assert all(world.answer({"reason": "manual"}, request_id=f"r{number}")["started"] for number in range(5))
    assert len(world.requests) == 6


def test_other_reasons_are_automatic(world: World) -> None:
    assert world.answer({"reason": "schedule"}, request_id="r1")["started"]
    assert not world.answer({"reason": "schedule"}, request_id="r2")["started"]


def test_an_alarm_that_went_back_to_ok_starts_nothing(world: World) -> None:
    for state in ("OK", "INSUFFICIENT_DATA"):
        answer = world.answer(alarm("e1", state=state))
        assert answer == {
            "started": False,
            "why": f"alarm baton-dev-bank-churn-drift is {state}, so there is nothing to mend",
        }
    assert world.requests == []


def test_of_two_alarms_at_once_one_starts(world: World) -> None:
    """The second alarm arrives exactly between the first one's read and its write."""
    second: list[dict[str, Any]] = []

    def interrupt(**_: Any) -> None:
        if not second:
            second.append({})
            second[0] = world.answer(alarm("e2"))

    hook = ("before-call.dynamodb.PutItem", interrupt)
    world.dynamodb.meta.events.register(*hook)
    first = world.answer(alarm("e1"))
    world.dynamodb.meta.events.unregister(*hook)

    assert second[0]["started"] and not first["started"]
    assert len(world.requests) == 1


def test_a_repeated_event_uses_the_same_token(world: World) -> None:
    """SageMaker answers a repeated token with the execution it has already started."""
    first, again = world.answer(alarm("e1")), world.answer(alarm("e1"))

    assert first["execution_arn"] == again["execution_arn"]
    assert len({request["ClientRequestToken"] for request in world.requests}) == 1


def test_a_refused_start_gives_its_reservation_back(world: World) -> None:
    world.refuse_with = 400
    with pytest.raises(ClientError, match="not today"):
        world.answer(alarm("e1"))
    world.refuse_with = None

    assert world.answer(alarm("e2"))["started"]


def test_a_fault_of_the_service_keeps_the_reservation_for_the_retry(world: World) -> None:
    world.refuse_with = 500
    with pytest.raises(ClientError):
        world.answer(alarm("e1"))
    world.refuse_with = None

    assert not world.answer(alarm("e2"))["started"]
    assert world.answer(alarm("e1"))["started"]


def test_says_what_to_do_when_there_is_no_dataset(world: World) -> None:
    world.model = "untrained"
    answer = world.answer({"reason": "manual"})

    assert not answer["started"]
    assert "s3://curated/untrained/current.json does not exist" in answer["why"]
    assert "run the ingestion of untrained first" in answer["why"]


def test_a_missing_dataset_does_not_use_up_the_cooldown(world: World) -> None:
    world.model = f"{world.model}_other"
    assert not world.answer(alarm("e1"))["started"]
    world.publish()
    assert world.answer(alarm("e2"))["started"]


@pytest.mark.parametrize("pointer", [b"not json", {"run_id": "r1"}, [], 7])
def test_fails_when_the_pointer_names_no_dataset(world: World, pointer: Any) -> None:
    world.publish(pointer)
    with pytest.raises(DatasetError, match=r"run the ingestion of model_\d+ again"):
        world.answer({"reason": "manual"})


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "manual",
        {},
        {"reason": ""},
        {"reason": 7},
        {"reason": "manual", "author": 7},
        {**alarm("e1"), "detail": None},
        {**alarm("e1"), "id": None},
        {**alarm("e1"), "detail": {"state": "ALARM"}},
    ],
)
def test_an_event_that_asks_for_nothing_is_answered_with_why(world: World, event: Any) -> None:
    answer = world.answer(event)

    assert not answer["started"] and answer["why"]
    assert world.requests == [] and world.records() == []


def test_the_handler_reads_its_settings_from_the_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_of_the_function = {
        "PIPELINE_NAME": "baton-dev-bank-churn",
        "MODEL_NAME": "bank_churn",
        "CURATED_BUCKET": BUCKET,
        "STARTS_TABLE": TABLE,
        "COOLDOWN_HOURS": "24",
        "MAX_PER_WEEK": "3",
        "LINEAGE_PREFIX": "baton-dev-bank-churn",
    }
    for name, value in settings_of_the_function.items():
        monkeypatch.setenv(name, value)

    answer = handler(alarm("e1", state="OK"), Mock(aws_request_id="request-1"))

    assert answer["started"] is False


@given(reason=st.text(min_size=1, max_size=400), author=st.text(max_size=400))
def test_reason_and_author_always_fit_the_registry(reason: str, author: str) -> None:
    """CustomerMetadataValue: 1 to 256 letters, numbers, separators and `_.:/=+-@`."""
    request = read_request({"reason": reason, "author": author}, request_id="r")

    if isinstance(request, str):
        assert not reason.strip()
        return
    for value in (request.reason, request.author or "none"):
        assert 1 <= len(value) <= 256
        assert all(
            character in "_.:/=+-@" or character.isalnum() or character.isspace() or _other(character)
            for character in value
        )


def _other(character: str) -> bool:

    return unicodedata.category(character)[0] in "LNZ"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    story=st.lists(
        st.tuples(st.sampled_from(["alarm", "again", "manual", "ok"]), st.floats(min_value=0, max_value=60)),
        min_size=1,
        max_size=25,
    ),
    cooldown=st.integers(min_value=0, max_value=72),
    cap=st.integers(min_value=1, max_value=4),
)
def test_no_story_of_events_breaks_the_brake(
    world: World, story: list[tuple[str, float]], cooldown: int, cap: int
) -> None:
    world.model = f"story_{next(NUMBERS)}"
    world.publish()
    automatic: dict[str, float] = {}
    for number, (kind, hours) in enumerate(story):
        world.now += hours * HOUR
        if kind == "manual":
            assert world.answer({"reason": "manual"}, request_id=f"r{number}", cooldown=cooldown, cap=cap)["started"]
        elif kind == "ok":
            assert not world.answer(alarm(f"e{number}", state="OK"), cooldown=cooldown, cap=cap)["started"]
        else:
            event = alarm(f"e{number}" if kind == "alarm" else "repeated")
            if world.answer(event, cooldown=cooldown, cap=cap)["started"]:
                automatic.setdefault(world.requests[-1]["ClientRequestToken"], world.now)
    times = sorted(automatic.values())
    assert all(later - earlier >= cooldown * HOUR for earlier, later in itertools.pairwise(times))
    assert all(sum(0 <= at - start < WEEK_SECONDS for at in times) <= cap for start in times)


def test_a_lasting_wish_is_granted_once_whoever_repeats_it_and_wherever_the_data_lies_then(world: World) -> None:
    world.publish()
    wish = {"reason": "new data", "token": "r1>hash"}
    first = world.answer(wish, request_id="a", cooldown=0, cap=10)
    world.publish({**POINTER, "dataset_uri": f"s3://{BUCKET}/bank_churn/runs/r2/"})
    world.now += 30 * 24 * HOUR
    again = world.answer(wish, request_id="b", cooldown=0, cap=10)
    assert (again["started"], again["execution_arn"]) == (True, first["execution_arn"])
    assert len(world.requests) == 1
    assert world.answer({**wish, "token": "r2>hash"}, request_id="c", cooldown=0, cap=10)["started"]
    assert len(world.requests) == 2


def test_a_lasting_wish_that_the_brake_refused_may_be_granted_later(world: World) -> None:
    world.publish()
    wish = {"reason": "new data", "token": "one"}
    assert world.answer({**wish, "token": "other"}, request_id="a")["started"]
    assert not world.answer(wish, request_id="b")["started"]
    world.now += 25 * HOUR
    assert world.answer(wish, request_id="c")["started"]


def test_a_token_that_is_no_text_asks_for_nothing(world: World) -> None:
    world.publish()
    answer = world.answer({"reason": "new data", "token": 7})
    assert answer == {"started": False, "why": "token must be a text, got 7"}
