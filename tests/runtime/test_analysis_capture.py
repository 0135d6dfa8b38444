"""Captures and labels are read in every form, and what cannot be read is counted, never fatal."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from pipeline_scripts.analysis.capture import Window, labelled, parse_time, read_capture, read_labels
from pipeline_scripts.model import Model
from pipeline_scripts.serving.inference import ServedModel
from tests.runtime.churn import customers
from tests.runtime.traffic import ask, captured, line, truths, write_lines

ROW = "Spain,30-39,650,3,0.0,2,1,1,50000.5,Male"
INSTANCE = {
    "country": "Spain",
    "age_group": "30-39",
    "credit_score": 650,
    "tenure_years": 3,
    "balance": 0.0,
    "products": 2,
    "has_credit_card": 1,
    "is_active": 1,
    "estimated_salary": 50000.5,
    "gender": "Male",
}
JSON_ROW = json.dumps({"instances": [INSTANCE]})
JSON_ANSWER = json.dumps({"predictions": [{"probability": 0.25, "label": 0}]})


@pytest.mark.parametrize(
    "item",
    [
        line(ROW, "0.25\n"),
        line(ROW, "0.25", encoding="BASE64"),
        line(JSON_ROW, JSON_ANSWER, encoding="JSON"),
        line(json.dumps(INSTANCE), json.dumps({"probability": 0.25, "label": 0}), encoding="JSON"),
    ],
)
def test_every_encoding_reads_as_the_same_row(item: dict[str, Any], tmp_path: Path, model: Model) -> None:
    capture = captured([item], tmp_path, model)
    frame, faults = capture.typed(model)
    assert frame.iloc[0].to_dict() == INSTANCE
    assert capture.scores == [0.25]
    assert (capture.malformed, sum(faults.values())) == (0, 0)


def wrapped(answer: str, kind: str) -> str:
    predictions = {"content_type": kind, "data": answer}
    return json.dumps({"version": "1.0", "predictions": predictions, "explanations": {}})


@pytest.mark.parametrize(
    ("answer", "kind"), [("0.25\n", "text/csv; charset=utf-8"), ('{"probability": 0.25}', "application/jsonlines")]
)
def test_an_answer_that_an_explainer_wrapped_is_read(answer: str, kind: str, tmp_path: Path, model: Model) -> None:
    item = line(ROW, wrapped(answer, kind))
    item["captureData"]["endpointOutput"]["encoding"] = "JSON"
    assert captured([item], tmp_path, model).scores == [0.25]


def test_base64_of_json_is_read_as_json(tmp_path: Path, model: Model) -> None:
    item = line(JSON_ROW, JSON_ANSWER, encoding="BASE64")
    for part in item["captureData"].values():
        part["observedContentType"] = "application/json"
    assert captured([item], tmp_path, model).scores == [0.25]


def test_one_invocation_may_hold_several_rows_and_a_header(tmp_path: Path, model: Model) -> None:
    body = "\n".join([",".join(model.inputs), ROW, ROW])
    capture = captured([line(body, "0.1\n0.2\n", event="e1")], tmp_path, model)
    assert (capture.events, capture.places, capture.scores) == (["e1", "e1"], [0, 1], [0.1, 0.2])


def test_files_of_all_hours_are_read(tmp_path: Path, model: Model) -> None:
    for hour in ("10", "11"):
        path = tmp_path / "2026" / hour / "x.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(line(ROW, "0.5")) + "\n")
    (tmp_path / "notes.txt").write_text("no capture")
    assert len(read_capture(tmp_path, model, Window())) == 2


@pytest.mark.parametrize(
    "broken",
    [
        "{not json",
        "[]",
        "3",
        "{}",
        json.dumps({"captureData": {}, "eventMetadata": {"eventId": "x"}}),
        line(ROW, "0.5", encoding="SMOKE"),
        {**line(ROW, "0.5"), "eventMetadata": {}},
        line("{", "{}", encoding="JSON"),
        line("[3]", "{}", encoding="JSON"),
        "[" * 100_000,
    ],
)
def test_malformed_line_is_counted_and_the_rest_is_read(broken: Any, tmp_path: Path, model: Model) -> None:
    capture = captured([line(ROW, "0.5"), broken, line(ROW, "0.5")], tmp_path, model)
    assert (len(capture), capture.malformed) == (2, 1)


def test_refused_request_counts_as_input_without_answer(tmp_path: Path, model: Model) -> None:
    capture = captured([line(ROW, "row 1: 'balance' must be a finite number")], tmp_path, model)
    assert len(capture) == 1
    assert math.isnan(capture.scores[0])


def test_missing_and_stray_fields_are_counted(tmp_path: Path, model: Model) -> None:
    short = json.dumps({"instances": [{name: value for name, value in INSTANCE.items() if name != "balance"}]})
    lines = [line(ROW + ",stray", "0.5"), line("Spain,30-39", "0.5"), line(short, JSON_ANSWER, encoding="JSON")]
    capture = captured(lines, tmp_path, model)
    assert capture.extra == {"_c10": 1}
    assert capture.absent["balance"] == 2
    assert capture.absent["country"] == 0


def test_values_of_another_type_are_counted_and_missing(tmp_path: Path, model: Model) -> None:
    odd = json.dumps({"instances": [{**INSTANCE, "balance": "much", "products": 1.5, "country": 3, "is_active": None}]})
    frame, faults = captured([line(odd, JSON_ANSWER, encoding="JSON")], tmp_path, model).typed(model)
    assert {name for name, count in faults.items() if count} == {"balance", "products", "country"}
    assert frame[["balance", "products", "country", "is_active"]].isna().all(axis=None)


def test_window_keeps_what_lies_inside_in_whole_seconds(tmp_path: Path, model: Model) -> None:
    times = ["2026-01-01T09:59:59Z", "2026-01-01T10:00:00Z", "2026-01-01T10:00:59Z", "2026-01-01T10:01:00Z"]
    lines = [line(ROW, "0.5", event=time, inferenceTime=time) for time in times]
    start, end = parse_time("2026-01-01T10:00:00.400Z"), parse_time("2026-01-01T10:01:00Z")
    capture = captured(lines, tmp_path, model, Window(start=start, end=end))
    assert capture.events == times[1:3]
    assert capture.latest == parse_time(times[2])


def test_labels_join_by_inference_id_else_by_event_id(tmp_path: Path, model: Model) -> None:
    lines = [line(ROW, "0.1", event="e1", inferenceId="c1"), line(ROW, "0.2", event="e2"), line(ROW, "0.3", event="e3")]
    truth = [
        {"groundTruthData": {"data": label, "encoding": "CSV"}, "eventMetadata": {"eventId": event}}
        for event, label in [("c1", "1"), ("e2", "0"), ("e1", "0"), ("elsewhere", "1")]
    ]
    labels = read_labels(write_lines(tmp_path / "truth", [*truth, "{broken"]), model)
    rows, found, scores = labelled(captured(lines, tmp_path, model), labels)
    assert (rows.tolist(), found.tolist(), scores.tolist()) == ([0, 1], [1, 0], [0.1, 0.2])


def test_labels_of_a_batch_join_row_by_row(tmp_path: Path, model: Model) -> None:
    truth = {"groundTruthData": {"data": "0\n1", "encoding": "CSV"}, "eventMetadata": {"eventId": "e1"}}
    labels = read_labels(write_lines(tmp_path / "truth", [truth]), model)
    _, found, _ = labelled(captured([line(f"{ROW}\n{ROW}", "0.1\n0.2", event="e1")], tmp_path, model), labels)
    assert found.tolist() == [0, 1]


def test_no_label_folder_means_no_labels(tmp_path: Path, model: Model) -> None:
    assert read_labels(None, model) == {}
    assert read_labels(tmp_path / "nowhere", model) == {}


def test_served_traffic_reads_back_as_it_was_sent(tmp_path: Path, model: Model, served: ServedModel) -> None:
    frame = customers(40, seed=3)
    capture = captured(ask(served, frame, model), tmp_path, model)
    read, _ = capture.typed(model)
    assert read["balance"].tolist() == frame["balance"].tolist()
    _, found, _ = labelled(capture, read_labels(write_lines(tmp_path / "truth", truths(frame)), model))
    assert found.tolist() == frame["churned"].tolist()
