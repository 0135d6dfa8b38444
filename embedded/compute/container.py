"""The serving container: an HTTP server that runs a model artefact's own hooks, as SageMaker's framework containers do.

It runs alone, by its path, and imports nothing of this project: what it needs to know of the job is in the environment.
The hooks are those of script mode: model_fn, input_fn, predict_fn and output_fn, or transform_fn for the latter three.
A hook that the artefact does not define gets the XGBoost container's default. A process answers one request at a time,
as a worker of the real container does; SAGEMAKER_MODEL_SERVER_WORKERS says how many there are.

The server speaks that part of HTTP/1.1 which callers of a container need, in a third of the time that uvicorn takes.
"""

import asyncio
import importlib.util
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

CSV, JSON = "text/csv", "application/json"
_LARGEST_HEAD, _LARGEST_BODY = 64 * 1024, 100 * 1024 * 1024  # bytes; the latter is the most a batch transform sends
_ECHOED = "x-amzn-sagemaker-inference-id"


class Unsupported(Exception):
    """The model's container does not read or write this content type."""

    status_code = 415


def load_hooks(*, submitted: Path, program: str | None) -> Any:
    """Import the artefact's own script; None where it has none."""
    if not program:
        return None
    path = submitted / program
    if not path.is_file():
        raise FileNotFoundError(f"SAGEMAKER_PROGRAM names {program!r}, which is not in {submitted}")
    sys.path.insert(0, str(submitted))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def default_model_fn(model_dir: str) -> Any:
    """Load the one XGBoost model that the artefact holds."""
    import xgboost

    files = [path for path in sorted(Path(model_dir).iterdir()) if path.is_file()]
    if len(files) != 1:
        raise ValueError(f"{model_dir} holds {len(files)} files; without a model_fn it must hold one XGBoost model")
    return xgboost.Booster(model_file=str(files[0]))


def default_input_fn(body: bytes | str, content_type: str) -> Any:
    """Read CSV rows without a header."""
    import numpy
    import xgboost

    if content_type.split(";")[0].strip() != CSV:
        raise Unsupported(f"content type {content_type!r} is not supported by the default input_fn; send {CSV}")
    text = body.decode("utf-8") if isinstance(body, bytes) else body
    return xgboost.DMatrix(numpy.loadtxt(text.splitlines(), delimiter=",", ndmin=2))


def default_predict_fn(data: Any, model: Any) -> Any:
    """Predict with an XGBoost model."""
    return model.predict(data, validate_features=False)


def default_output_fn(prediction: Any, accept: str) -> str:
    """Write predictions as CSV or JSON."""
    import json

    values = prediction.tolist() if hasattr(prediction, "tolist") else list(prediction)
    if accept == CSV:
        return "\n".join(map(str, values))
    if accept == JSON:
        return json.dumps(values)
    raise Unsupported(f"accept {accept!r} is not supported by the default output_fn; ask for {CSV} or {JSON}")


class Model:
    """A loaded artefact and how it answers.

    Args:
        folder: The unpacked artefact.
        hooks: The artefact's own module, or None.
        accept: What to answer with when the caller does not say.
    """

    def __init__(self, *, folder: Path, hooks: Any, accept: str) -> None:
        self._accept = accept
        self._model = _hook(hooks, "model_fn", default_model_fn)(str(folder))
        self._transform = getattr(hooks, "transform_fn", None)
        self._input = _hook(hooks, "input_fn", default_input_fn)
        self._predict = _hook(hooks, "predict_fn", default_predict_fn)
        self._output = _hook(hooks, "output_fn", default_output_fn)

    def answer(self, body: bytes, content_type: str, accept: str) -> "Answer":
        """Run the hooks on one request. An exception with a `status_code` answers with that code."""
        try:
            return self._run(body, content_type, accept if accept not in ("", "*/*") else self._accept)
        except Exception as error:
            status = getattr(error, "status_code", None)
            if isinstance(status, int) and 400 <= status < 500:
                return Answer(status=status, content=str(error))
            traceback.print_exc()
            return Answer(status=500, content=f"{type(error).__name__}: {error}")

    def _run(self, body: bytes, content_type: str, accept: str) -> "Answer":
        try:
            data: bytes | str = body.decode("utf-8") if content_type in (CSV, JSON) else body
        except UnicodeDecodeError as error:
            raise Unsupported(
                f"the body is not UTF-8 ({error.reason} at byte {error.start}); send {content_type} as that"
            ) from error
        if self._transform is not None:
            result = self._transform(self._model, data, content_type, accept)
        else:
            result = self._output(self._predict(self._input(data, content_type), self._model), accept)
        content, kind = result if isinstance(result, tuple) else (result, accept)
        if not isinstance(content, str | bytes):
            raise TypeError(f"the hooks answered with {type(content).__name__}; text or bytes can be sent")
        return Answer(status=200, content=content, kind=kind)


def _hook(hooks: Any, name: str, default: Callable[..., Any]) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(hooks, name, default)
    return found


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status, a body and its content type."""

    status: int
    content: str | bytes = b""
    kind: str = "text/plain; charset=utf-8"


class Malformed(Exception):
    """What came is no request that this server takes; the connection ends with this status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Head:
    """A request but for its body: header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    length: int
    last: bool

    @classmethod
    def read(cls, text: str) -> "Head":
        """Read the lines before the empty one.

        Raises:
            Malformed: They are none, or the body has no length or too much of it.
        """
        first, *lines = text.split("\r\n")
        method, _, rest = first.partition(" ")
        target, _, version = rest.rpartition(" ")
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise Malformed(400, f"{line[:80]!r} is no header")
            if headers.setdefault(name.lower(), value.strip()) != value.strip() and name.lower() == "content-length":
                raise Malformed(400, "the request has two lengths")
        if version not in ("HTTP/1.1", "HTTP/1.0") or not target.startswith("/"):
            raise Malformed(400, f"{first[:80]!r} begins no HTTP/1.1 request")
        connection = headers.get("connection", "").lower()
        return cls(
            method=method,
            path=target.partition("?")[0],
            headers=headers,
            length=_length(headers),
            last="close" in connection or (version == "HTTP/1.0" and "keep-alive" not in connection),
        )


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise Malformed(411, "send a Content-Length; a body in chunks is not taken")
    given = headers.get("content-length", "0")
    if not (given.isascii() and given.isdigit()):
        raise Malformed(400, f"Content-Length {given[:80]!r} is no number")
    if len(given) > 12 or int(given) > _LARGEST_BODY:
        raise Malformed(413, f"a body has at most {_LARGEST_BODY} bytes")
    return int(given)


class Connection(asyncio.Protocol):
    """A caller, whose requests are answered in their order; it alone ends the connection.

    Args:
        model: Answers.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._received = bytearray()
        self._head: Head | None = None
        self._transport: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._received += data
        try:
            while not self._transport.is_closing() and self._complete():
                head, self._head = self._head, None
                assert head is not None
                body = bytes(self._received[: head.length])
                del self._received[: head.length]
                self._write(self._answer(head, body), head)
        except Malformed as error:
            self._write(Answer(status=error.status, content=str(error)), None)

    def _complete(self) -> bool:
        if self._head is None:
            end = self._received.find(b"\r\n\r\n", 0, _LARGEST_HEAD)
            if end < 0:
                if len(self._received) >= _LARGEST_HEAD:
                    raise Malformed(431, f"the headers take more than {_LARGEST_HEAD} bytes")
                return False
            self._head = Head.read(self._received[:end].decode("latin-1"))
            del self._received[: end + 4]
            if self._head.headers.get("expect", "").lower() == "100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return len(self._received) >= self._head.length

    def _answer(self, head: Head, body: bytes) -> Answer:
        if head.path == "/invocations" and head.method == "POST":
            return self._model.answer(body, head.headers.get("content-type", ""), head.headers.get("accept", ""))
        if head.path == "/ping" and head.method == "GET":
            return Answer(status=200)
        known = head.path in ("/invocations", "/ping")
        return Answer(status=405 if known else 404, content="this container answers GET /ping and POST /invocations")

    def _write(self, answer: Answer, head: Head | None) -> None:
        content = answer.content.encode() if isinstance(answer.content, str) else answer.content
        lines = [
            f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, '')}",
            f"content-type: {answer.kind}",
            f"content-length: {len(content)}",
        ]
        if head is not None and _ECHOED in head.headers:
            lines.append(f"{_ECHOED}: {head.headers[_ECHOED]}")
        ends = head is None or head.last
        if ends:
            lines.append("connection: close")
        self._transport.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + content)
        if ends:
            self._transport.close()


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


async def serve(model: Model, listener: socket.socket) -> None:
    """The container's HTTP contract, /ping and /invocations, until the process is told to end."""
    # One connection at a time, or the worker that wakes first would take all that wait; the queue itself may be long.
    server = await asyncio.get_running_loop().create_server(lambda: Connection(model), sock=listener, backlog=1)
    listener.listen(1024)
    await server.serve_forever()


def end_with_the_host() -> None:
    """End this process when whoever started it is gone: then its end of the pipe closes."""
    os.read(0, 1)  # unbuffered: the interpreter must be able to end while this waits
    os._exit(0)


def fork_workers(count: int) -> list[int]:
    """Start further processes that go on from here as this one does; their ids here, none in each of them."""
    started = []
    for _ in range(count):
        process = os.fork()
        if process == 0:
            return []
        started.append(process)
    return started


def end_workers(started: list[int]) -> None:
    """End them and wait until they have."""
    for process in started:
        os.kill(process, signal.SIGTERM)
    for process in started:
        os.waitpid(process, 0)


def main() -> None:
    """Load the model, once a worker, and serve it on the socket that was handed over."""
    started = fork_workers(int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS", "1")) - 1)
    # An ordinary end, so that what a model registered for it is run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=end_with_the_host, daemon=True).start()
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    submitted = Path(os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or base / "model" / "code")
    hooks = load_hooks(submitted=submitted, program=os.environ.get("SAGEMAKER_PROGRAM"))
    accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", CSV)
    model = Model(folder=base / "model", hooks=hooks, accept=accept)
    try:
        asyncio.run(serve(model, socket.socket(fileno=int(sys.argv[1]))))
    finally:
        end_workers(started)


if __name__ == "__main__":
    main()
