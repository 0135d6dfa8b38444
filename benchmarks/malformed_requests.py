"""Malformed requests to the sample model behind a real server: does any of them end in a 5xx, or in an answer?"""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from benchmarks.measurement import ROOT, Measurement
from benchmarks.sample_training import train
from embedded.compute.model_server import ModelServer
from embedded.compute.opt_ml import clean_environment
from pipeline_scripts.model import parse_model
from pipeline_scripts.serving.inference import model_fn
from stacks.settings import load_models
from tests.runtime.malformed_requests import Malformed, enormous, malformed

ROWS, REQUESTS, ENORMOUS = 2_000, 5_000, 20
COMMAND = "python -m benchmarks malformed_requests"


def measure() -> Iterator[Measurement]:
    """Train, serve, and send them one after another."""
    tried: Counter[str] = Counter()
    failed: list[str] = []
    answered: list[str] = []
    unnamed: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        train(folder, rows=ROWS)
        draw = random.Random(ROWS)
        with served(folder) as server:
            for request in _requests(folder, draw):
                reply = server.post(body=request.body, headers={"Content-Type": request.content_type})
                tried[request.what] += 1
                said = reply.body.decode(errors="replace")
                note = f"{request.what}: {reply.status} to {request.body[:80]!r}: {said[:80]}"
                failed += [note] if reply.status >= 500 else []
                answered += [note] if reply.status < 400 else []
                unnamed += [note] if request.field is not None and request.field not in said else []
    yield _count("endpoint_requests_malformed", tried.total(), dict(tried))
    yield _count("endpoint_5xx", len(failed), {"first": failed[:20]})
    yield _count("endpoint_malformed_answered", len(answered), {"first": answered[:20]})
    yield _count("endpoint_fields_not_named", len(unnamed), {"first": unnamed[:20]})


@contextmanager
def served(folder: Path, variables: Mapping[str, str] | None = None) -> Iterator[ModelServer]:
    """The artefact in `folder/model`, behind the server that embedded AWS runs; `variables` are for its container."""
    environment = {
        **clean_environment(scratch=folder, aws={}),
        "SAGEMAKER_BASE_DIR": str(folder),
        "SAGEMAKER_PROGRAM": "inference.py",
        **(variables or {}),
    }
    server = ModelServer(variant="sample", environment=environment, folder=folder, on_line=lambda line: None)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _requests(folder: Path, draw: random.Random) -> Iterator[Malformed]:
    [specification] = load_models([ROOT / "config" / "models" / "bank_churn.yaml"], [])
    model = parse_model(specification.model_dump(mode="json"))
    signature = model_fn(str(folder / "model")).signature
    frame = pd.read_parquet(folder / "holdout" / "holdout.parquet")[list(signature.names)].head(50)
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    numbers = [name for name in signature.names if model.kind(name) != "string"]
    for _ in range(REQUESTS):
        yield malformed(draw, rows=rows, numbers=numbers)
    for _ in range(ENORMOUS):
        yield enormous(draw)


def _count(name: str, value: int, detail: dict[str, object]) -> Measurement:
    return Measurement(name=name, value=value, unit="", command=COMMAND, detail=detail)
