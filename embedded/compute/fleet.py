"""The containers that serve one endpoint configuration, a production variant each."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedded.compute.capture import DataCapture
from embedded.compute.job import ClientFactory, Environment, now
from embedded.compute.log_stream import LogStream
from embedded.compute.model_server import ModelServer
from embedded.compute.opt_ml import OptMl
from embedded.compute.served_model import fetch, resolve


class UnknownVariant(Exception):
    """A request names a variant that the endpoint does not have."""


class Fleet:
    """Variants, their weights and what is captured of them.

    Args:
        endpoint: The endpoint's name.
        config: The endpoint configuration.
        client: Gives boto3 clients of the front door.
        workdir: A folder of this fleet's own.
        environment: How the containers reach AWS.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        config: Mapping[str, Any],
        client: ClientFactory,
        workdir: Path,
        environment: Environment,
    ) -> None:
        self.capture = DataCapture(config=config.get("DataCaptureConfig"), endpoint=endpoint, client=client)
        self._endpoint, self._client = endpoint, client
        self._workdir, self._environment = workdir, environment
        self._variants = {variant["VariantName"]: variant for variant in config["ProductionVariants"]}
        self._weights = {
            name: float(variant.get("InitialVariantWeight", 1.0)) for name, variant in self._variants.items()
        }
        self._folders: list[OptMl] = []
        self._logs: list[LogStream] = []
        self.servers: dict[str, ModelServer] = {}

    def start(self) -> None:
        """Start every variant's container; if one does not come up, none stays.

        Raises:
            EndpointFailure: A model cannot be had or its container is not healthy.
        """
        try:
            for name in self._variants:
                self.servers[name] = self._start_server(name)
        except BaseException:
            self.stop()
            raise

    def _start_server(self, name: str) -> ModelServer:
        folder = self._workdir / name
        opt_ml = OptMl(workdir=folder)
        opt_ml.prepare()
        self._folders.append(opt_ml)
        model = resolve(self._variants[name], client=self._client)
        fetch(model, client=self._client, scratch=opt_ml.scratch, folder=opt_ml.folder("/opt/ml/model"))
        log = LogStream(
            client=self._client,
            group=f"/aws/sagemaker/Endpoints/{self._endpoint}",
            stream=f"{name}/{self._workdir.name}-{int(now().timestamp())}",
            path=folder / "container.log",
        )
        self._logs.append(log)
        server = ModelServer(
            variant=name,
            environment=opt_ml.environment(aws=self._environment, job=model.environment),
            folder=opt_ml.base,
            on_line=log.write,
        )
        server.start()
        return server

    def choose(self, target: str | None) -> tuple[str, ModelServer]:
        """The variant for one request: the one it asks for, or one by weight.

        Raises:
            UnknownVariant: There is none of that name.
        """
        if target is not None:
            if target not in self.servers:
                raise UnknownVariant(f"Variant {target} of endpoint {self._endpoint} was not found.")
            return target, self.servers[target]
        names = list(self.servers)
        weights = [self._weights[name] for name in names]
        name = random.choices(names, weights=weights)[0] if any(weights) else names[0]
        return name, self.servers[name]

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Change how requests are shared out."""
        self._weights.update(weights)

    def revive(self) -> None:
        """Start a container anew that ended by itself, as SageMaker does."""
        for name, server in list(self.servers.items()):
            if not server.alive:
                self.servers[name] = self._start_server(name)
                server.stop()

    def drain(self) -> None:
        """Wait for the requests under way."""
        for server in self.servers.values():
            server.drain()

    def stop(self) -> None:
        """End the containers and free their space."""
        for server in self.servers.values():
            server.stop()
        for log in self._logs:
            log.close()
        for folder in self._folders:
            folder.remove()
