"""A model's container with all it needs: its artefact in a folder, its log, its process."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded.compute.job import ClientFactory, Environment, now
from embedded.compute.log_stream import LogStream
from embedded.compute.model_server import ModelServer
from embedded.compute.opt_ml import OptMl
from embedded.compute.served_model import fetch, resolve


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a container lives.

    Attributes:
        client: Gives boto3 clients of the front door.
        workdir: A folder of its own.
        environment: How it reaches AWS.
        log_group: Where its output goes.
        log_stream: The beginning of its stream's name; the moment it started follows.
    """

    client: ClientFactory
    workdir: Path
    environment: Environment
    log_group: str
    log_stream: str


class HostedModel:
    """One container that serves one model.

    Args:
        owner: What the model serves, as errors name it: a variant or a job, with its `ModelName`.
        name: The owner's name.
        place: Where it lives.
        environment: What the owner adds to the model's own environment.
    """

    def __init__(
        self, *, owner: Mapping[str, Any], name: str, place: Place, environment: Mapping[str, str] | None = None
    ) -> None:
        self._owner, self._name, self._place = owner, name, place
        self._environment = dict(environment or {})
        self._opt_ml = OptMl(workdir=place.workdir)
        self._log: LogStream | None = None
        self.server: ModelServer

    def start(self) -> None:
        """Bring the artefact here and start the container; returns when it answers.

        Raises:
            EndpointFailure: The model cannot be had or its container is not healthy.
        """
        try:
            self._start()
        except BaseException:
            self._clean()
            raise

    def _start(self) -> None:
        place = self._place
        self._opt_ml.prepare()
        model = resolve(self._owner, name=self._name, client=place.client)
        fetch(model, client=place.client, scratch=self._opt_ml.scratch, folder=self._opt_ml.folder("/opt/ml/model"))
        self._log = LogStream(
            client=place.client,
            group=place.log_group,
            stream=f"{place.log_stream}-{int(now().timestamp())}",
            path=place.workdir / "container.log",
        )
        self.server = ModelServer(
            variant=self._name,
            environment=self._opt_ml.environment(aws=place.environment, job={**model.environment, **self._environment}),
            folder=self._opt_ml.base,
            on_line=self._log.write,
        )
        self.server.start()

    def stop(self) -> None:
        """End the container and free its space."""
        self.server.stop()
        self._clean()

    def _clean(self) -> None:
        if self._log is not None:
            self._log.close()
        self._opt_ml.remove()
