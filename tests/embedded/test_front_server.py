"""The process of embedded AWS: it ends with all that it started, and says why where it does not start."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embedded.server import EmbeddedAws, StartFailed, answers

PROGRAM = """
import sys
from pathlib import Path
from embedded.server import EmbeddedAws

with EmbeddedAws(Path(sys.argv[1])) as aws:
    aws.client("sagemaker").create_processing_job(
        ProcessingJobName="long",
        RoleArn="arn:aws:iam::000000000000:role/any",
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        AppSpecification={
            "ImageUri": "any",
            "ContainerEntrypoint": ["python3", "-c", sys.argv[2], sys.argv[3]],
        },
    )
    print(aws.url, flush=True)
    sys.stdin.read()
"""
JOB = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(120)"


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_the_program_that_wanted_it_and_so_do_its_jobs(
    tmp_path: Path, eventually: Callable[..., Any], signal_number: signal.Signals
) -> None:
    note = tmp_path / "job.pid"
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "state"), JOB, str(note)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    url = program.stdout.readline().strip()
    job = int(eventually(lambda: note.is_file() and note.read_text()))
    program.send_signal(signal_number)
    program.communicate()
    assert eventually(lambda: not answers(url), within=20)
    assert eventually(lambda: not _runs(job), within=20)


def _runs(pid: int) -> bool:
    """Whether a process goes on; one that has ended and waits to be collected does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc").is_dir()


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "tmp").write_text("a file where its folder should be", encoding="utf-8")
    with pytest.raises(StartFailed, match=r"(?s)ended with code 1.*FileExistsError"), EmbeddedAws(state):
        pass


def test_a_client_before_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="has not been started"):
        EmbeddedAws(tmp_path).client("s3")
