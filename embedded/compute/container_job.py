"""The life of a job's container, the same for processing and training: load, run, judge, save."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from embedded.compute.container_process import ContainerProcess, ProcessEnd
from embedded.compute.job import REASON_LENGTH, ClientFactory, Environment, JobRefused, JobResult, now
from embedded.compute.log_stream import LogStream
from embedded.compute.opt_ml import OptMl

_DAY_S = 86_400


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """What runs: the command, its own environment, and where its log goes."""

    name: str
    log_group: str
    entrypoint: Sequence[str]
    arguments: Sequence[str]
    environment: Mapping[str, str]
    limit_s: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the container's end means for its job."""

    status: str
    secondary_status: str
    failure_reason: str | None = None


class ContainerJob(ABC):
    """One job of SageMaker.

    Args:
        request: The API request that created it; its ARN is used where present.
        client: Gives boto3 clients of the front door.
        workdir: A folder of the job's own. The log stays there; the data only if the job failed.
        environment: How the container reaches AWS: endpoint, region, credentials.
    """

    def __init__(
        self, *, request: Mapping[str, Any], client: ClientFactory, workdir: Path, environment: Environment
    ) -> None:
        self._request = dict(request)  # the caller's record goes on changing
        self._client = client
        self._environment = environment
        self._workdir = workdir
        self._opt_ml = OptMl(workdir=workdir)
        self._process: ContainerProcess | None = None
        self._watch: Callable[[str], None] | None = None
        self._stopped = False

    @abstractmethod
    def _spec(self) -> ContainerSpec:
        """What to run."""

    @abstractmethod
    def _load(self, s3: Any) -> None:
        """Put inputs and configuration in place."""

    @abstractmethod
    def _judge(self, end: ProcessEnd) -> Verdict:
        """Say what the container's end means."""

    @abstractmethod
    def _save(self, s3: Any, verdict: Verdict) -> dict[str, Any]:
        """Send the outputs; return what of them belongs in the result."""

    def execute(self) -> JobResult:
        """Run the job to its end. What the job does wrong is in the result, never an exception."""
        started = now()
        spec = self._spec()
        log = LogStream(
            client=self._client,
            group=spec.log_group,
            stream=f"{spec.name}/algo-1-{int(started.timestamp())}",
            path=self._workdir / f"{spec.name}.log",
        )
        try:
            result = self._run(spec=spec, log=log, started=started)
        except (JobRefused, OSError) as error:
            log.write(f"[embedded AWS] {error}")
            result = self._result(
                Verdict(status="Failed", secondary_status="Failed", failure_reason=str(error)[:REASON_LENGTH]),
                log=log,
                started=started,
                exit_code=None,
            )
        finally:
            log.close()
        if result.status != "Failed":
            self._opt_ml.remove()
        return result

    def stop(self) -> None:
        """End the job; `execute` then returns `Stopped`."""
        self._stopped = True
        if self._process is not None:
            self._process.stop()

    def _run(self, *, spec: ContainerSpec, log: LogStream, started: datetime) -> JobResult:
        s3 = self._client("s3")
        self._opt_ml.prepare()
        self._load(s3)

        def on_line(line: str) -> None:
            log.write(line)
            if self._watch is not None:
                self._watch(line)

        self._process = ContainerProcess(
            command=self._opt_ml.command([*spec.entrypoint, *spec.arguments]),
            environment=self._opt_ml.environment(aws=self._environment, job=spec.environment),
            folder=self._opt_ml.base,
            on_line=on_line,
        )
        if self._stopped:
            self._process.stop()
        end = self._process.run(limit_s=spec.limit_s)
        verdict = self._judge(end)
        outputs = self._save(s3, verdict)
        return self._result(verdict, log=log, started=started, exit_code=end.exit_code, **outputs)

    def _result(
        self, verdict: Verdict, *, log: LogStream, started: datetime, exit_code: int | None, **outputs: Any
    ) -> JobResult:
        message = self._opt_ml.text("message")
        return JobResult(
            status=verdict.status,
            secondary_status=verdict.secondary_status,
            failure_reason=verdict.failure_reason,
            exit_message=message[:REASON_LENGTH] if message else None,
            exit_code=exit_code,
            log_path=log.path,
            started=started,
            ended=now(),
            **outputs,
        )


def runtime_limit(request: Mapping[str, Any]) -> int:
    """The job's StoppingCondition in seconds; SageMaker's default is a day."""
    return int(request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _DAY_S))
