"""How a script runs as a SageMaker job: its base folder, its outcome for a person, its exit code."""

import os
import sys
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

_LONGEST_MESSAGE = 1000  # SageMaker shows 1 KB of it as ExitMessage or FailureReason


class JobError(Exception):
    """The job cannot do its work; the message says what is wrong, where, and how to mend it."""


def base_dir() -> Path:
    """The folder SageMaker mounts everything under; `SAGEMAKER_BASE_DIR` moves it."""
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


def folders(argv: Sequence[str], *names: str, optional: Sequence[str] = ()) -> Namespace:
    """Parse `--name FOLDER` arguments; those in `optional` may be left out."""
    parser = ArgumentParser()
    for name in (*names, *optional):
        parser.add_argument(f"--{name}", type=Path, required=name not in optional)
    return parser.parse_args(argv)


def run_job(work: Callable[[], str], *, outcome: str = "message") -> int:
    """Do the work and leave its last word in `<base>/output/<outcome>`.

    Processing jobs show `message` as their exit message, training jobs show `failure` as their reason of failure, so a
    training job that succeeds leaves no file.

    Returns:
        The exit code: 0, or 1 after any error.
    """
    target = base_dir() / "output" / outcome
    try:
        message = work()
    except Exception as error:
        traceback.print_exc()
        reason = str(error) if isinstance(error, JobError) else f"{type(error).__name__}: {error}"
        _leave(target, reason)
        return 1
    print(message)
    if outcome == "message":
        _leave(target, message)
    return 0


def _leave(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text[:_LONGEST_MESSAGE], encoding="utf-8")
    except OSError as error:
        print(f"{target}: cannot be written: {error}", file=sys.stderr)
