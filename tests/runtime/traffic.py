"""Traffic of an endpoint as it is captured, and the labels that come later."""

import base64
import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline_scripts.analysis.capture import Capture, Window, read_capture
from pipeline_scripts.model import Model
from pipeline_scripts.monitoring.report import Report
from pipeline_scripts.monitoring.run import Look
from pipeline_scripts.serving import inference
from pipeline_scripts.serving.inference import ServedModel
from pipeline_scripts.training.split import identifier
from tests.runtime.churn import Trained, churns, customers


def line(data: str, answer: str, *, encoding: str = "CSV", event: str = "e0", **metadata: str) -> dict[str, Any]:
    """One captured invocation."""
    kind = "application/json" if encoding == "JSON" else "text/csv"

    def part(text: str, mode: str) -> dict[str, str]:
        shown = base64.b64encode(text.encode()).decode() if encoding == "BASE64" else text
        return {"observedContentType": kind, "mode": mode, "data": shown, "encoding": encoding}

    return {
        "captureData": {"endpointInput": part(data, "INPUT"), "endpointOutput": part(answer, "OUTPUT")},
        "eventMetadata": {"eventId": event, "inferenceTime": "2026-01-01T10:00:00Z", **metadata},
        "eventVersion": "0",
    }


def write_lines(folder: Path, lines: list[dict[str, Any] | str]) -> Path:
    """A capture or ground-truth folder with one file in an hour's place."""
    path = folder / "2026" / "01" / "01" / "10" / "part.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(item if isinstance(item, str) else json.dumps(item) for item in lines), encoding="utf-8")
    return folder


def ask(served: ServedModel, frame: pd.DataFrame, model: Model) -> list[dict[str, Any]]:
    """Send every row to the served model, one request each with an inference id, and capture it."""
    body = frame[list(model.inputs)].to_csv(index=False, header=False)
    answers, _ = inference.transform_fn(served, body, "text/csv", "text/csv")
    pairs = zip(body.splitlines(), answers.splitlines(), frame[identifier(model)], strict=True)
    return [line(row, answer, event=f"e{ref}", inferenceId=f"c{ref}") for row, answer, ref in pairs]


def truths(frame: pd.DataFrame, *, key: str = "customer_ref", target: str = "churned") -> list[dict[str, Any]]:
    """The labels of every row, by inference id."""
    return [
        {
            "groundTruthData": {"data": str(label), "encoding": "CSV"},
            "eventMetadata": {"eventId": f"c{ref}"},
            "eventVersion": "0",
        }
        for ref, label in zip(frame[key], frame[target], strict=True)
    ]


def relabelled(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The frame with labels that follow from its present features."""
    return frame.assign(churned=churns(frame, np.random.default_rng(seed)).astype(int))


def drifted(rows: int, *, seed: int) -> pd.DataFrame:
    """Visible drift: an influx of young customers from Germany, with much higher balances and worse scores."""
    frame, draw = customers(rows, seed=seed), np.random.default_rng(seed)
    moved = draw.random(rows) < 0.5
    frame["balance"] = np.where(moved, frame["balance"] * 2 + 40_000, frame["balance"]).round(2)
    frame["credit_score"] = np.where(moved, frame["credit_score"] - 120, frame["credit_score"]).clip(350)
    frame["country"] = np.where(moved, "Germany", frame["country"])
    return frame


def looked_at(look: Look, folder: Path, trained: Trained, *, lines: list[Any], labels: list[Any]) -> Report:
    """Run a monitor's own work on these lines, without its files."""
    paths = Namespace(
        baseline=trained.evidence, model=trained.artefact, ground_truth=write_lines(folder / "truth", labels)
    )
    report = Report(namespace="test")
    look(report, captured(lines, folder, trained.model), trained.model, paths)
    return report


def captured(lines: list[Any], folder: Path, model: Model, window: Window | None = None) -> Capture:
    return read_capture(write_lines(folder / "capture", lines), model, window or Window())
