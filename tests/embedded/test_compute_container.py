"""The serving container as an HTTP server: what it answers to callers that are odd, slow, wrong or many."""

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from embedded.compute.model_server import ModelServer

HOOKS = """
import atexit, os
atexit.register(lambda: print("farewell", flush=True))
def model_fn(model_dir):
    return None
def transform_fn(model, body, content_type, accept):
    if body == b"pid":
        return str(os.getpid()), "text/plain"
    return f"{len(body)} {content_type} {accept}", "text/plain"
"""
POST = "POST /invocations HTTP/1.1\r\nContent-Type: application/x\r\n"


class Container:
    def __init__(self, folder: Path, *, workers: int) -> None:
        self.lines: list[str] = []
        code = folder / "model" / "code"
        code.mkdir(parents=True)
        (code / "inference.py").write_text(HOOKS)
        environment = {
            "PATH": os.environ["PATH"],
            "SAGEMAKER_BASE_DIR": str(folder),
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_MODEL_SERVER_WORKERS": str(workers),
        }
        self.server = ModelServer(variant="v", environment=environment, folder=folder, on_line=self.lines.append)
        self.server.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", int(self.server.url.rpartition(":")[2])), timeout=10)

    def say(self, *parts: str | bytes) -> str:
        """What comes back until the container ends the connection."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part.encode() if isinstance(part, str) else part)
                time.sleep(0.02)
            with closing(connection.makefile("rb")) as answer:
                return answer.read().decode()


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    started = Container(tmp_path_factory.mktemp("container"), workers=1)
    yield started
    started.server.stop()


def test_an_inference_id_comes_back_as_it_came(container: Container) -> None:
    reply = container.server.post(body=b"x", headers={"X-Amzn-SageMaker-Inference-Id": "call-7"})
    assert reply.headers["x-amzn-sagemaker-inference-id"] == "call-7"
    assert "x-amzn-sagemaker-inference-id" not in container.server.post(body=b"x", headers={}).headers


def test_what_the_caller_says_reaches_the_hook(container: Container) -> None:
    headers = {"Content-Type": "application/x; charset=utf-8", "Accept": "application/json; attributions=3"}
    reply = container.server.post(body=b"12345", headers=headers)
    assert reply.body.decode() == "5 application/x; charset=utf-8 application/json; attributions=3"
    assert reply.headers["content-type"] == "text/plain"


def test_ten_megabytes_are_read(container: Container) -> None:
    assert container.server.post(body=b"1" * 10_485_760, headers={}).body.startswith(b"10485760 ")


def test_requests_on_one_connection_are_answered_in_their_order(container: Container) -> None:
    first, last = f"{POST}Content-Length: 1\r\n\r\na", f"{POST}Content-Length: 3\r\nConnection: close\r\n\r\nabc"
    assert re.findall(r"\r\n\r\n(\d)", container.say(first + last)) == ["1", "3"]


def test_a_request_may_come_in_pieces(container: Container) -> None:
    whole = f"{POST}Content-Length: 3\r\nConnection: close\r\n\r\nabc"
    assert container.say(*whole).endswith("3 application/x text/csv")


def test_a_caller_that_asks_first_is_told_to_go_on(container: Container) -> None:
    answer = container.say(f"{POST}Content-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", "ab")
    assert answer.startswith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_an_older_caller_is_not_kept_waiting(container: Container) -> None:
    assert container.say("GET /ping HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("nonsense\r\n\r\n", 400),
        ("GET /ping HTTP/2\r\n\r\n", 400),
        ("GET /ping HTTP/1.1\r\nno colon\r\n\r\n", 400),
        ("GET /ping HTTP/1.1\r\nName : value\r\n\r\n", 400),
        (f"{POST}Content-Length: -1\r\n\r\n", 400),
        (f"{POST}Content-Length: \u00b2\r\n\r\n", 400),
        (f"{POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (f"{POST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (f"{POST}Content-Length: 999999999\r\n\r\n", 413),
        (f"{POST}Content-Length: {'9' * 5_000}\r\n\r\n", 413),
        ("GET /" + "x" * 70_000, 431),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_ended(container: Container, said: str, status: int) -> None:
    assert container.say(said).startswith(f"HTTP/1.1 {status} ")
    assert container.server.alive


@pytest.mark.parametrize(
    ("first", "status"),
    [("GET /invocations", 405), ("POST /ping", 405), ("GET /elsewhere", 404), ("GET /ping?now", 200)],
)
def test_there_are_two_paths(container: Container, first: str, status: int) -> None:
    assert container.say(f"{first} HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(f"HTTP/1.1 {status} ")


def test_workers_share_the_work_and_end_together(tmp_path: Path) -> None:
    container = Container(tmp_path, workers=2)
    found = set()
    deadline = time.monotonic() + 20
    while len(found) < 2 and time.monotonic() < deadline:
        found.add(container.say("POST /invocations HTTP/1.0\r\nContent-Length: 3\r\n\r\npid").rpartition("\r\n")[2])
    container.server.stop()
    assert len(found) == 2
    for process in map(int, found):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    assert container.lines.count("farewell") == 2
