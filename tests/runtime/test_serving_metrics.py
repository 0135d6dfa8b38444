"""What an endpoint prints of its traffic: totals that CloudWatch reads as metrics, and nothing of a row."""

import json
import queue
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pipeline_scripts.serving import inference
from pipeline_scripts.serving.errors import RequestError
from pipeline_scripts.serving.inference import ServedModel
from pipeline_scripts.serving.metrics import Metrics
from tests.runtime.churn import Trained

NEVER = 3_600.0


def counted(served: ServedModel) -> tuple[ServedModel, list[str]]:
    lines: list[str] = []
    return replace(served, metrics=Metrics(endpoint="churn-prod", emit=lines.append, every_s=NEVER)), lines


def send(served: ServedModel, frame: pd.DataFrame) -> list[dict[str, Any]]:
    body = frame.to_csv(index=False, header=False)
    return list(json.loads(inference.transform_fn(served, body, "text/csv", "application/json")[0])["predictions"])


def rows(trained: Trained, count: int) -> pd.DataFrame:
    return trained.holdout().head(count)[list(trained.model.inputs)]


def test_a_line_holds_the_totals_of_all_requests_since_the_last(trained: Trained, served: ServedModel) -> None:
    watched, lines = counted(served)
    answers = send(watched, rows(trained, 40)) + send(watched, rows(trained, 3).assign(country="Narnia"))
    with pytest.raises(RequestError):
        inference.transform_fn(watched, "1,2", "text/csv", "text/csv")
    watched.metrics.flush()
    [record] = map(json.loads, lines)
    assert record["Rows"] == 43
    assert record["UnseenCategories"] == 3
    assert record["RefusedRequests"] == 1
    assert record["MeanAnswer"] == pytest.approx(sum(row["probability"] for row in answers) / 43)
    assert record["PositiveShare"] == pytest.approx(sum(row["label"] for row in answers) / 43)
    assert 0 < record["PositiveShare"] < 1


def test_a_line_is_of_cloudwatchs_embedded_format(trained: Trained, served: ServedModel) -> None:
    watched, lines = counted(served)
    send(watched, rows(trained, 2))
    watched.metrics.flush()
    [record] = map(json.loads, lines)
    [directive] = record["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Baton/Serving" and directive["Dimensions"] == [["EndpointName"]]
    assert record["EndpointName"] == "churn-prod"
    named = {metric["Name"] for metric in directive["Metrics"]}
    assert named == {"Rows", "PositiveShare", "MeanAnswer", "RefusedRequests", "UnseenCategories"}
    # What is not a metric, not the dimension and not the directive would be a row's.
    assert record.keys() == named | {"_aws", "EndpointName"}
    assert all(isinstance(record[name], int | float) for name in named)


def test_what_was_not_there_is_not_told(trained: Trained, served: ServedModel) -> None:
    regression = replace(served, signature=replace(served.signature, problem="regression", threshold=None))
    watched, lines = counted(regression)
    inference.transform_fn(watched, rows(trained, 1).to_csv(index=False, header=False), "text/csv", "text/csv")
    watched.metrics.flush()
    with pytest.raises(RequestError):
        inference.transform_fn(watched, "", "text/csv", "text/csv")
    watched.metrics.flush()
    watched.metrics.flush()
    answered, refused = map(json.loads, lines)
    assert "MeanAnswer" in answered and "PositiveShare" not in answered
    assert refused["RefusedRequests"] == 1 and "MeanAnswer" not in refused


def test_a_line_comes_by_itself(trained: Trained, served: ServedModel) -> None:
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    send(replace(served, metrics=Metrics(endpoint="churn-prod", emit=lines.put, every_s=0.05)), rows(trained, 1))
    assert json.loads(lines.get(timeout=10))["Rows"] == 1


def test_outside_an_endpoint_nothing_is_printed(
    trained: Trained, served: ServedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    send(served, rows(trained, 1))
    served.metrics.flush()
    assert capsys.readouterr().out == ""


ENDED = """
import sys
sys.path.insert(0, sys.argv[1] + "/code")
import inference
model = inference.model_fn(sys.argv[1])
inference.transform_fn(model, sys.argv[2], "text/csv", "text/csv")
"""


def test_the_last_totals_are_printed_when_the_container_ends(trained: Trained) -> None:
    body = rows(trained, 2).to_csv(index=False, header=False)
    ended = subprocess.run(
        [sys.executable, "-c", ENDED, str(trained.unpacked), body],
        env={"BATON_ENDPOINT_NAME": "churn-dev", "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin"},
        check=True,
        capture_output=True,
        text=True,
    )
    record = json.loads(ended.stdout)
    assert (record["EndpointName"], record["Rows"]) == ("churn-dev", 2)
