"""The load generator of the benchmarks: it sends what it says, measures each answer, and takes no other for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.load import Lane, LoadError, asked_once, prepared, run
from embedded.compute.model_server import ModelServer
from embedded.compute.opt_ml import clean_environment

HOOKS = """
import time
asked = 0
def model_fn(model_dir):
    return None
def transform_fn(model, body, content_type, accept):
    global asked
    asked += 1
    if body == b"slow":
        time.sleep(0.02)
    if body == b"wrong":
        raise KeyError("bug")
    return f"{asked} {accept}", "text/plain"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    code = tmp_path / "model" / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(HOOKS)
    environment = {
        **clean_environment(scratch=tmp_path, aws={}),
        "SAGEMAKER_BASE_DIR": str(tmp_path),
        "SAGEMAKER_PROGRAM": "inference.py",
    }
    started = ModelServer(variant="v", environment=environment, folder=tmp_path, on_line=lambda line: None)
    started.start()
    yield started
    started.stop()


def lane(server: ModelServer, body: bytes) -> Lane:
    request = prepared(body, kind="application/x")
    return Lane(name="toy", port=int(server.url.rpartition(":")[2]), request=request)


@pytest.mark.parametrize("connections", [1, 4])
def test_it_sends_as_many_requests_as_it_says(server: ModelServer, connections: int) -> None:
    measured = run(lane(server, b"x"), requests=50, connections=connections)
    assert len(measured.latencies) == 50
    assert asked_once(lane(server, b"x")) == b"51 application/x"


def test_it_measures_what_an_answer_takes(server: ModelServer) -> None:
    measured = run(lane(server, b"slow"), requests=5, connections=1)
    assert min(measured.latencies) >= 0.02
    assert measured.rate <= 50


def test_an_answer_of_another_status_ends_the_measurement(server: ModelServer) -> None:
    with pytest.raises(LoadError, match="500"):
        run(lane(server, b"wrong"), requests=3, connections=1)
