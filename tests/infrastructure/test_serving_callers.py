"""Whoever is let ask for predictions may ask this one model, in the one way that it answers, and nothing more."""

import pytest

from tests.conftest import Assembly
from tests.infrastructure.kinds_assembly import KINDS
from tests.infrastructure.template_roles import ACCOUNT, REGION, Request, Role, Templates, allowed


@pytest.fixture(scope="module")
def callers(kinds_in_prod: Assembly) -> dict[str, Role]:
    roles = Templates(kinds_in_prod.templates["prod"]).roles()
    found = [role for role in roles if role.stack == "callers"]
    return {kind: next(role for role in found if role.logical_id.lower().startswith(kind)) for kind in KINDS}


@pytest.fixture(scope="module")
def zone(kinds_in_prod: Assembly) -> str:
    templates = Templates(kinds_in_prod.templates["prod"])
    return templates.arn_of("data-lake", "AWS::S3::Bucket", "Monitoring")


def endpoint(kind: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/baton-prod-{kind}"


@pytest.mark.parametrize("kind", ["linear", "rolling", "shadow", "serverless"])
def test_an_endpoint_is_asked_directly(callers: dict[str, Role], kind: str) -> None:
    asked = [
        Request("sagemaker:InvokeEndpoint", endpoint(kind)),
        Request("sagemaker:InvokeEndpoint", endpoint("another")),
        Request("sagemaker:InvokeEndpointAsync", endpoint(kind)),
        Request("sagemaker:UpdateEndpoint", endpoint(kind)),
    ]
    assert allowed([(callers[kind], request) for request in asked]) == [True, False, False, False]


@pytest.mark.parametrize(("kind", "requests"), [("asynchronous", "letters/in"), ("batch", "batch/requests")])
def test_requests_are_left_where_they_belong(callers: dict[str, Role], zone: str, kind: str, requests: str) -> None:
    asked = [
        Request("s3:PutObject", f"{zone}/{kind}/{requests}/one.csv"),
        Request("s3:PutObject", f"{zone}/{kind}/capture/one.jsonl"),
        Request("s3:PutObject", f"{zone}/linear/{requests}/one.csv"),
        Request("s3:GetObject", f"{zone}/{kind}/{requests}/one.csv"),
    ]
    assert allowed([(callers[kind], request) for request in asked]) == [True, False, False, False]


def test_only_what_answers_later_is_asked_so(callers: dict[str, Role]) -> None:
    asked = [
        (callers["asynchronous"], Request("sagemaker:InvokeEndpointAsync", endpoint("asynchronous"))),
        (callers["asynchronous"], Request("sagemaker:InvokeEndpoint", endpoint("asynchronous"))),
        (callers["batch"], Request("sagemaker:InvokeEndpoint", endpoint("batch"))),
        (callers["batch"], Request("sagemaker:CreateTransformJob", "*")),
    ]
    assert allowed(asked) == [True, False, False, False]


def test_the_container_fetches_requests_and_leaves_answers(kinds_in_prod: Assembly, zone: str) -> None:
    templates = Templates(kinds_in_prod.templates["prod"])
    container = {role.stack: role for role in templates.roles() if role.logical_id.startswith("ModelRole")}
    later = container["baton-prod-asynchronous-serving"]
    topics = [templates.arn_of("asynchronous-serving", "AWS::SNS::Topic", name) for name in ("Answered", "Failed")]
    batch = container["baton-prod-batch-serving"]
    may = [
        (later, Request("s3:GetObject", f"{zone}/asynchronous/letters/in/one.csv")),
        (later, Request("s3:PutObject", f"{zone}/asynchronous/asynchronous/answers/one.csv.out")),
        (later, Request("s3:PutObject", f"{zone}/asynchronous/asynchronous/failures/one.csv.out")),
        *((later, Request("sns:Publish", topic)) for topic in topics),
        (batch, Request("s3:GetObject", f"{zone}/batch/batch/requests/one.csv")),
        (batch, Request("s3:PutObject", f"{zone}/batch/batch/answers/job/one.csv.out")),
        (batch, Request("s3:PutObject", f"{zone}/batch/capture/input/one.csv")),
        (batch, Request("s3:GetObject", f"{zone}/batch/canary/requests/one.csv")),
    ]
    may_not = [
        (later, Request("s3:PutObject", f"{zone}/asynchronous/letters/in/one.csv")),
        (later, Request("s3:GetObject", f"{zone}/batch/batch/requests/one.csv")),
        (later, Request("sns:Publish", templates.arn_of("data-lake", "AWS::SNS::Topic", "Notifications"))),
        (batch, Request("s3:PutObject", f"{zone}/batch/batch/requests/one.csv")),
    ]
    assert allowed(may) == [True] * len(may)
    assert allowed(may_not) == [False] * len(may_not)
