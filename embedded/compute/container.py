"""The serving container: an HTTP server that runs a model artefact's own hooks, as SageMaker's framework containers do.

It runs alone, by its path, and imports nothing of this project: what it needs to know of the job is in the environment.
The hooks are those of script mode: model_fn, input_fn, predict_fn and output_fn, or transform_fn for the latter three.
A hook that the artefact does not define gets the XGBoost container's default.
"""

import asyncio
import importlib.util
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

CSV, JSON = "text/csv", "application/json"
# A host that keeps its connections must never find one closed under a request.
_KEEP_ALIVE_S = 3600


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

    def answer(self, body: bytes, content_type: str, accept: str) -> Response:
        """Run the hooks on one request. An exception with a `status_code` answers with that code."""
        try:
            return self._run(body, content_type, accept if accept not in ("", "*/*") else self._accept)
        except Exception as error:
            status = getattr(error, "status_code", None)
            if isinstance(status, int) and 400 <= status < 500:
                return PlainTextResponse(str(error), status_code=status)
            traceback.print_exc()
            return PlainTextResponse(f"{type(error).__name__}: {error}", status_code=500)

    def _run(self, body: bytes, content_type: str, accept: str) -> Response:
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
        return Response(content, headers={"content-type": kind})


def _hook(hooks: Any, name: str, default: Callable[..., Any]) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(hooks, name, default)
    return found


def build(model: Model) -> Starlette:
    """The container's HTTP contract: /ping and /invocations."""
    # One thread, as one worker process of the real container answers one request at a time.
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")

    async def ping(_: Request) -> Response:
        return Response()

    async def invocations(request: Request) -> Response:
        body = await request.body()
        headers = request.headers
        arguments = (body, headers.get("content-type", ""), headers.get("accept", ""))
        return await asyncio.get_running_loop().run_in_executor(worker, model.answer, *arguments)

    return Starlette(routes=[Route("/ping", ping), Route("/invocations", invocations, methods=["POST"])])


def end_with_the_host() -> None:
    """End this process when whoever started it is gone: then its end of the pipe closes."""
    os.read(0, 1)  # unbuffered: the interpreter must be able to end while this waits
    os._exit(0)


def main() -> None:
    """Load the model and serve it on the socket that was handed over."""
    threading.Thread(target=end_with_the_host, daemon=True).start()
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    submitted = Path(os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or base / "model" / "code")
    hooks = load_hooks(submitted=submitted, program=os.environ.get("SAGEMAKER_PROGRAM"))
    accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", CSV)
    app = build(Model(folder=base / "model", hooks=hooks, accept=accept))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", timeout_keep_alive=_KEEP_ALIVE_S
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
