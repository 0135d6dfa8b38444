"""A Glue ETL job as a process: its script on PySpark, with the arguments Glue would pass."""

import hashlib
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from embedded.compute.container_process import ContainerProcess, ProcessEnd
from embedded.compute.job import REASON_LENGTH, ClientFactory, Environment, JobRefused, now
from embedded.compute.log_stream import LogStream
from embedded.compute.object_store import download, split_uri
from embedded.compute.opt_ml import clean_environment
from embedded.compute.spark import spark_environment

_TIMEOUT_MIN = 480  # Glue 5's own default
_LOG_GROUP = "/aws-glue/jobs/output"
_SPARK_LOG = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d |\s|$")
_UNSUPPORTED = ("--extra-jars", "--additional-python-modules", "--python-modules-installer-option", "--extra-files")


@dataclass(frozen=True, kw_only=True)
class GlueResult:
    """How a job run ended, in the words of GetJobRun: JobRunState and ErrorMessage."""

    state: str
    error_message: str | None
    exit_code: int | None
    log_path: Path
    started: datetime
    ended: datetime


class GlueRun:
    """One run of a job.

    Args:
        job: The job, as GetJob shows it.
        run_id: The run's id.
        arguments: What StartJobRun was given; it wins over the job's defaults.
        client: Gives boto3 clients of the front door.
        workdir: A folder of the run's own; the log stays there.
        environment: How the script reaches AWS.
    """

    def __init__(
        self,
        *,
        job: Mapping[str, Any],
        run_id: str,
        arguments: Mapping[str, str],
        client: ClientFactory,
        workdir: Path,
        environment: Environment,
    ) -> None:
        self._job, self._run_id = job, run_id
        self._arguments = {**job.get("DefaultArguments", {}), **arguments, **job.get("NonOverridableArguments", {})}
        self._client, self._environment = client, environment
        self._workdir = workdir.absolute()
        self._scratch = self._workdir / "tmp"
        self._process: ContainerProcess | None = None
        self._stopped = False
        self._lines: list[str] = []

    def execute(self) -> GlueResult:
        """Run the script to its end. What the job does wrong is in the result, never an exception."""
        started = now()
        log = LogStream(
            client=self._client,
            group=self._arguments.get("--continuous-log-logGroup", _LOG_GROUP),
            stream=self._run_id,
            path=self._workdir / f"{self._run_id}.log",
        )
        state, message, exit_code = "FAILED", None, None
        try:
            end = self._run(log)
            exit_code = end.exit_code
            state, message = self._judge(end)
        except (JobRefused, OSError) as error:
            message = str(error)[:REASON_LENGTH]
            log.write(f"[embedded AWS] {message}")
        finally:
            log.close()
            shutil.rmtree(self._scratch, ignore_errors=True)
        return GlueResult(
            state=state, error_message=message, exit_code=exit_code, log_path=log.path, started=started, ended=now()
        )

    def stop(self) -> None:
        """End the run; `execute` then returns `STOPPED`."""
        self._stopped = True
        if self._process is not None:
            self._process.stop()

    def _run(self, log: LogStream) -> ProcessEnd:
        self._refuse_the_unsupported()
        shutil.rmtree(self._scratch, ignore_errors=True)
        script = self._fetch(self._job["Command"]["ScriptLocation"], folder="script")
        libraries = [
            self._fetch(uri, folder=f"libraries/{position}")
            for position, uri in enumerate(filter(None, self._arguments.get("--extra-py-files", "").split(",")))
        ]

        def on_line(line: str) -> None:
            log.write(line)
            self._lines = [*self._lines[-199:], line]

        self._process = ContainerProcess(
            command=[sys.executable, str(script), *self._argv()],
            environment=self._process_environment(libraries),
            folder=self._scratch,
            on_line=on_line,
        )
        if self._stopped:
            self._process.stop()
        return self._process.run(limit_s=self._timeout_min * 60)

    def _refuse_the_unsupported(self) -> None:
        command, version = self._job["Command"]["Name"], self._job.get("GlueVersion", "")
        if command != "glueetl" or not version.startswith("5."):
            raise JobRefused(
                f"embedded AWS runs glueetl jobs of Glue 5 only; {self._job['Name']!r} is {command!r} {version!r}"
            )
        for name in _UNSUPPORTED:
            if self._arguments.get(name):
                raise JobRefused(f"embedded AWS does not run a job with {name}; ship what it needs in --extra-py-files")

    def _fetch(self, uri: str, *, folder: str) -> Path:
        target = self._scratch / folder
        target.mkdir(parents=True)
        _, key = split_uri(uri)
        download(self._client("s3"), uri=uri, folder=target)
        return target / key.rpartition("/")[2]

    def _argv(self) -> list[str]:
        name = self._job["Name"]
        own = {
            "--JOB_ID": f"j_{hashlib.sha256(name.encode()).hexdigest()}",
            "--JOB_RUN_ID": self._run_id,
            "--JOB_NAME": name,
        }
        return [word for pair in {**self._arguments, **own}.items() for word in pair]

    def _process_environment(self, libraries: Iterable[Path]) -> dict[str, str]:
        return {
            **clean_environment(scratch=self._scratch, aws=self._environment),
            **spark_environment(scratch=self._scratch, given=self._given_settings()),
            "PYTHONPATH": ":".join(map(str, libraries)),
        }

    def _given_settings(self) -> list[str]:
        given = self._arguments.get("--conf")
        return shlex.split(f"--conf {given}") if given else []

    @property
    def _timeout_min(self) -> int:
        return int(self._job.get("Timeout") or _TIMEOUT_MIN)

    def _judge(self, end: ProcessEnd) -> tuple[str, str | None]:
        if end.stopped:
            return "STOPPED", None
        if end.timed_out:
            return "TIMEOUT", f"Job run exceeded its timeout of {self._timeout_min} minutes"
        if end.exit_code:
            return "FAILED", error_of(self._lines, exit_code=end.exit_code)[:REASON_LENGTH]
        return "SUCCEEDED", None


def error_of(lines: list[str], *, exit_code: int) -> str:
    """The sentence that says why a Python script ended: its exception, or what it exited with."""
    starts = [position for position, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    if starts:
        after = lines[starts[-1] + 1 :]
        exception = next((line for line in after if line and not line.startswith(" ")), None)
        if exception:
            return exception
    said = [line for line in lines if not _SPARK_LOG.match(line)]
    return f"SystemExit: {said[-1] if said else exit_code}"
