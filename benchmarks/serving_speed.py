"""How fast the inference code answers, beside three servers of others with the same booster, turn and turn about.

Ours gets raw rows, which it checks, encodes, scores, calibrates and labels; the others get encoded numbers and score
them. A case is one or two workers, and one or a hundred rows a request; a figure is of the case that is worst for us,
with the others beside it. Latency is of one connection, throughput of eight (see `benchmarks.load`).
"""

import json
import random
import re
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost

from benchmarks import load
from benchmarks.load import Lane, LoadError
from benchmarks.malformed_requests import served
from benchmarks.measurement import Measurement
from benchmarks.rivals import RIVALS, environment
from benchmarks.sample_training import train
from pipeline_scripts.serving.inference import ServedModel, model_fn

TRAINED_ON, ROUNDS, CONNECTIONS = 10_000, 9, 8
REQUESTS = {1: 300, 100: 150}  # rows a request: requests a round
OURS = {"mms": "ours, CSV", "mlflow": "ours, JSON", "bare": "ours, JSON"}  # each beside ours in its own form
COMMAND = "python -m benchmarks serving_speed"
CSV, JSON = "text/csv", "application/json"
_SAME = 1e-5


@dataclass
class Timed:
    """What one lane took, a value a round: the median and the 99th percentile in seconds, and requests a second."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)

    def shown(self) -> dict[str, int]:
        p50, p99, rate = (statistics.median(values) for values in (self.p50, self.p99, self.rate))
        return {"p50_us": round(p50 * 1e6), "p99_us": round(p99 * 1e6), "requests_per_second": round(rate)}


Cases = dict[str, dict[str, Timed]]


def measure() -> Iterator[Measurement]:
    """Train, serve by all, and compare."""
    environment()  # refused before anything is trained
    cases: Cases = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        train(folder, rows=TRAINED_ON)
        for workers in (1, 2):
            with ExitStack() as running:
                ports = _serve(folder, workers, running)
                for rows, requests in REQUESTS.items():
                    cases[f"{workers} workers, {rows} rows"] = _timed(_lanes(folder, rows, ports), requests)
    yield _figure("latency_p50_ratio_mms", "mms", cases, max)
    yield _figure("latency_p99_ratio_mms", "mms", cases, max)
    yield _figure("latency_p50_ratio_mlflow", "mlflow", cases, max)
    yield _figure("latency_p99_ratio_mlflow", "mlflow", cases, max)
    yield _figure("throughput_ratio_bare", "bare", cases, min)


def _serve(folder: Path, workers: int, running: ExitStack) -> dict[str, int]:
    """Start all servers; their ports."""
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": str(workers), "BATON_ENDPOINT_NAME": "benchmark"}
    server = running.enter_context(served(folder, variables))
    ports = {"ours": int(server.url.rpartition(":")[2])}
    for name, start in RIVALS.items():
        place = folder / f"{name}-{workers}"
        place.mkdir()
        ports[name] = running.enter_context(start(folder / "model" / "model.json", workers, place))
    return ports


def _lanes(folder: Path, rows: int, ports: Mapping[str, int]) -> list[Lane]:
    """The same rows for all, each in the form that it reads, when every one of them has given the right answers."""
    model = model_fn(str(folder / "model"))
    frame = pd.read_parquet(folder / "holdout" / "holdout.parquet").head(rows)[list(model.signature.names)]
    matrix = model.transformer.encode(frame)
    numbers = matrix.tolist()
    instances = json.loads(frame.to_json(orient="records"))
    split = {"columns": list(model.transformer.columns), "data": numbers}
    as_csv = frame.to_csv(index=False, header=False)
    encoded = "".join(",".join(f"{value:g}" for value in row) + "\n" for row in numbers)
    bodies = {
        "ours, CSV": (as_csv, CSV),
        "ours, JSON": (json.dumps({"instances": instances}), JSON),
        "mms": (encoded, CSV),
        "mlflow": (json.dumps({"dataframe_split": split}), JSON),
        "bare": (json.dumps({"instances": numbers}), JSON),
    }
    lanes = []
    for name, (body, kind) in bodies.items():
        lane = Lane(name=name, port=ports[name.partition(",")[0]], request=load.prepared(body.encode(), kind=kind))
        _check(lane, _expected(model, frame, ours=name.startswith("ours")))
        lanes.append(lane)
    return lanes


def _expected(model: ServedModel, frame: pd.DataFrame, *, ours: bool) -> list[float]:
    """The booster's answers, which ours calibrates."""
    names = list(model.transformer.columns)
    matrix = xgboost.DMatrix(model.transformer.encode(frame), feature_names=names)
    answers = model.estimator.booster.predict(matrix)
    return list((model.calibration.apply(answers) if ours else answers).tolist())


def _check(lane: Lane, expected: list[float]) -> None:
    text = load.asked_once(lane).decode()
    if text.startswith("{"):
        given = [row["probability"] if isinstance(row, dict) else row for row in json.loads(text)["predictions"]]
    else:
        given = [float(value) for value in re.split(r"[,\s]+", text.strip())]
    if len(given) != len(expected) or np.abs(np.subtract(given, expected)).max() > _SAME:
        raise LoadError(f"{lane.name} serves another model: {given[:3]} instead of {expected[:3]}")


def _timed(lanes: list[Lane], requests: int) -> dict[str, Timed]:
    """Rounds in which every lane has its turn, in any order; a first one warms up and is not counted."""
    timed = {lane.name: Timed() for lane in lanes}
    draw = random.Random(ROUNDS)
    for round_ in range(ROUNDS + 1):
        for lane in draw.sample(lanes, len(lanes)):
            alone = load.run(lane, requests=requests, connections=1)
            together = load.run(lane, requests=requests, connections=CONNECTIONS)
            if round_:
                timed[lane.name].p50.append(statistics.median(alone.latencies))
                timed[lane.name].p99.append(float(np.quantile(alone.latencies, 0.99)))
                timed[lane.name].rate.append(together.rate)
    return timed


def _figure(name: str, rival: str, cases: Cases, worst: Callable[[list[float]], float]) -> Measurement:
    """The ratio of what the name says, of rounds that lie side by side, so that a busy machine slows both."""
    measured = {"latency_p50": "p50", "latency_p99": "p99", "throughput": "rate"}[name.partition("_ratio")[0]]
    shown, ratios = {}, []
    for case, timed in cases.items():
        ours, theirs = timed[OURS[rival]], timed[rival]
        pairs = zip(getattr(ours, measured), getattr(theirs, measured), strict=True)
        ratios.append(statistics.median(a / b for a, b in pairs))
        shown[case] = {"ratio": ratios[-1], OURS[rival]: ours.shown(), rival: theirs.shown()}
    return Measurement(name=name, value=worst(ratios), unit=f"ours / {rival}", command=COMMAND, detail=shown)
