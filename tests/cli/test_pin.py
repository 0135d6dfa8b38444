"""Pinning, unpinning and going back, against a canned AWS."""

import json
from typing import Any

import pytest
from canned import CannedConnection, World, payload

EXECUTION = "arn:aws:states:eu-west-1:000000000000:execution:reconcile:1"
PIN = {
    "endpoint": {"S": "ep"},
    "item": {"S": "pin"},
    "version": {"S": "1"},
    "by": {"S": "grace"},
    "at": {"S": "2026-11-23T09:30:00.000+00:00"},
    "reason": {"S": "the new one is slow at night"},
}


def answer(world: World, pinned: str | None) -> None:
    world.answers["lambda.Invoke"] = lambda _: payload({"pinned": pinned, "execution": EXECUTION})


def invoked(connection: CannedConnection) -> dict[str, Any]:
    [arguments] = [arguments for _, name, arguments in connection.calls if name == "lambda.Invoke"]
    assert arguments["FunctionName"] == "pin"
    event: dict[str, Any] = json.loads(arguments["Payload"])
    return event


@pytest.mark.parametrize(
    ("arguments", "pinned", "event"),
    [
        (("pin", "1", "--reason", "slow"), "1", {"action": "pin", "version": "1", "reason": "slow"}),
        (("rollback",), "1", {"action": "rollback", "reason": ""}),
        (("unpin", "--reason", "mended"), None, {"action": "unpin", "reason": "mended"}),
    ],
)
def test_the_function_is_told_what_by_whom_and_why(
    baton: Any, world: World, connection: CannedConnection, arguments: Any, pinned: str | None, event: Any
) -> None:
    answer(world, pinned)
    result = baton(*arguments)
    assert result.exit_code == 0, result.output
    assert invoked(connection) == {**event, "by": "grace"}
    said = f"version {pinned} is pinned" if pinned else "no version is pinned"
    assert said in result.output


def test_json_says_what_is_pinned_and_which_execution_follows(baton: Any, world: World) -> None:
    answer(world, "1")
    facts = json.loads(baton("pin", "1", "--json").stdout)
    assert facts == {"pinned": 1, "execution": EXECUTION}


def test_a_version_that_may_not_serve_is_refused_in_the_functions_words(baton: Any, world: World) -> None:
    refusal = {"errorType": "MayNotServe", "errorMessage": "version 2 of bank-churn may not serve: it is not approved"}
    world.answers["lambda.Invoke"] = lambda _: payload(refusal, error=True)
    result = baton("pin", "2")
    assert result.exit_code == 1
    assert "version 2 of bank-churn may not serve" in " ".join(result.stderr.split())


def test_status_shows_the_pin_and_who_set_it(baton: Any, world: World, connection: CannedConnection) -> None:
    assert json.loads(baton("status", "--json").stdout)["pinned"] is None
    world.answers["dynamodb.GetItem"] = lambda _: {"Item": PIN}
    assert "version 1 is pinned, by grace on 2026-11-23 09:30: the new one is slow at night" in baton("status").output
    facts = json.loads(baton("status", "--json").stdout)
    assert (facts["pinned"]["version"], facts["pinned"]["by"]) == (1, "grace")
    [read, *_] = [arguments for _, name, arguments in connection.calls if name == "dynamodb.GetItem"]
    assert read["Key"] == {"endpoint": {"S": "ep"}, "item": {"S": "pin"}}
