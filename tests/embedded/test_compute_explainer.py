"""Kernel SHAP of CSV rows, against models whose attributions are known."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from embedded.compute.explainer import Explainer, NotExplained
from embedded.compute.invocation import Request
from embedded.compute.model_server import Reply
from embedded.compute.served_model import EndpointFailure

COUNTRIES = {"Spain": 0.0, "France": 10.0}
ROW = Request(body=b"7,France\n", content_type="text/csv", accept="text/csv")


def sums(row: list[str]) -> float:
    return 2 * float(row[0]) + COUNTRIES[row[1]]


class Model:
    """A container that answers each row by a function, and counts its requests."""

    def __init__(self, score: Callable[[list[str]], float] = sums) -> None:
        self.score = score
        self.asked: list[int] = []

    def post(self, request: Request) -> tuple[Reply, None]:
        rows = [line.split(",") for line in request.body.decode().splitlines()]
        self.asked.append(len(rows))
        try:
            body = "".join(f"{self.score(row)}\n" for row in rows)
        except KeyError as error:
            return Reply(status=400, headers={}, body=str(error).encode(), latency_us=1), None
        return Reply(status=200, headers={"content-type": "text/csv"}, body=body.encode(), latency_us=1), None


def explainer(*, baseline: str = "5,Spain\n", rows: str = "`true`", at_a_time: int = 100, **shap: Any) -> Explainer:
    config = {
        "EnableExplanations": rows,
        "InferenceConfig": {"FeatureHeaders": ["balance", "country"], "MaxRecordCount": at_a_time},
        "ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": baseline}, **shap},
    }
    made = Explainer.of({"ClarifyExplainerConfig": config}, client=no_client)
    assert made is not None
    return made


def no_client(service: str) -> Any:
    raise AssertionError(f"no {service} is needed")


def asked(explainer: Explainer, model: Model, request: Request = ROW) -> Any:
    reply, _ = explainer.post(request, model.post)
    assert reply.status == 200 and reply.content_type == "application/json"
    return json.loads(reply.body)


def attributions(content: Any, row: int = 0) -> list[float]:
    return [entry["attributions"][0]["attribution"][0] for entry in content["explanations"]["kernel_shap"][row]]


def test_each_input_gets_what_it_adds_to_the_baseline_s_answer() -> None:
    content = asked(explainer(), Model())
    assert content["predictions"] == {"content_type": "text/csv", "data": "24.0\n"}
    assert attributions(content) == pytest.approx([4.0, 10.0])


def test_a_baseline_of_several_records_is_averaged() -> None:
    assert attributions(asked(explainer(baseline="5,Spain\n9,France\n"), Model())) == pytest.approx([0.0, 5.0])


def test_log_odds_are_explained_where_that_is_asked_for() -> None:
    def probability(row: list[str]) -> float:
        return 1 / (1 + math.exp(-sums(row) / 10))

    assert attributions(asked(explainer(UseLogit=True), Model(probability))) == pytest.approx([0.4, 1.0])


@pytest.mark.parametrize(
    ("rows", "override", "explained"),
    [
        ("[0] > `20`", None, [True, False]),
        ("`false`", None, [False, False]),
        ("`false`", "`true`", [True, True]),
        ("`true`", "[0] < `20`", [False, True]),
    ],
)
def test_the_expression_chooses_rows(rows: str, override: str | None, explained: list[bool]) -> None:
    model = Model()
    content = asked(explainer(rows=rows), model, replace(ROW, body=b"7,France\n5,Spain\n", explanations=override))
    if any(explained):
        assert [row is not None for row in content["explanations"]["kernel_shap"]] == explained
    else:
        assert (content["explanations"], model.asked) == ({}, [2])


def test_questions_go_in_requests_of_so_many_rows() -> None:
    model = Model()
    asked(explainer(at_a_time=1), model)
    assert set(model.asked) == {1} and len(model.asked) > 3


def test_the_same_seed_draws_the_same_questions() -> None:
    def tangled(row: list[str]) -> float:
        values = [float(text) for text in row]
        return sum(values) + values[0] * values[5] + values[1] * values[7] * values[9]

    config = {"ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": ",".join("0" * 12)}, "NumberOfSamples": 60}}
    request = replace(ROW, body=b"1,2,3,4,5,6,7,8,9,10,11,12\n")

    def draw(seed: int) -> list[float]:
        seeded = {"ShapConfig": {**config["ShapConfig"], "Seed": seed}, "InferenceConfig": {"MaxRecordCount": 100}}
        made = Explainer.of({"ClarifyExplainerConfig": seeded}, client=no_client)
        assert made is not None
        return attributions(asked(made, Model(tangled), request))

    assert draw(1) == draw(1) != draw(2)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (replace(ROW, content_type="application/json"), "ContentType must be text/csv"),
        (replace(ROW, accept=None), "Accept must be text/csv where an endpoint explains, got none"),
        (replace(ROW, explanations="[0 >"), r"must be true or false of each row, \[0 > is not"),
        (replace(ROW, explanations="[0]"), r"must be true or false of each row, \[0\] is not"),
    ],
)
def test_what_cannot_be_explained_is_refused(request_: Request, sentence: str) -> None:
    with pytest.raises(NotExplained, match=sentence):
        asked(explainer(), Model(), request_)


def test_a_header_line_is_no_row_to_explain() -> None:
    class SkipsHeader(Model):
        def post(self, request: Request) -> tuple[Reply, None]:
            return super().post(replace(request, body=request.body.replace(b"balance,country\n", b"")))

    with pytest.raises(NotExplained, match="2 rows and its answer 1; leave out its header"):
        asked(explainer(), SkipsHeader(), replace(ROW, body=b"balance,country\n7,France\n"))


def test_what_the_model_refuses_comes_back_as_it_is() -> None:
    refused, _ = explainer().post(replace(ROW, body=b"7,Mars\n"), Model().post)
    assert (refused.status, refused.body) == (400, b"'Mars'")
    only_asked = Model(lambda row: {"7,France": 24.0}[",".join(row)])
    reply, _ = explainer().post(ROW, only_asked.post)
    assert reply.status == 400, "a question of the explainer's own was refused"


@pytest.mark.parametrize("baseline", ["5\n", "5,Spain,1\n", "\n"])
def test_a_baseline_of_another_shape_fails_the_endpoint(baseline: str) -> None:
    with pytest.raises(EndpointFailure, match="The SHAP baseline"):
        explainer(baseline=baseline)


def test_an_expression_that_is_none_fails_the_endpoint() -> None:
    with pytest.raises(EndpointFailure, match="EnableExplanations is no JMESPath"):
        explainer(rows="[0 >")


def test_an_endpoint_without_one_has_none() -> None:
    assert Explainer.of(None, client=no_client) is None
