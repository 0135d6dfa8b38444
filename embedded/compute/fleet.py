"""The variants of one endpoint configuration, how requests are shared among them, and what is captured of them."""

import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from embedded.compute.capture import DataCapture
from embedded.compute.explainer import Explainer
from embedded.compute.hosted_model import Place
from embedded.compute.job import ClientFactory, Environment
from embedded.compute.variant import Variant

_DRAIN_LIMIT_S = 30.0


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
        self.asynchronous: Mapping[str, Any] | None = config.get("AsyncInferenceConfig")
        self.explainer = Explainer.of(config.get("ExplainerConfig"), client=client)
        self._endpoint = endpoint
        self._weights: dict[str, float] = {}

        def variant(declared: Mapping[str, Any]) -> Variant:
            name = declared["VariantName"]
            self._weights[name] = float(declared.get("InitialVariantWeight", 1.0))
            place = Place(
                client=client,
                workdir=workdir / name,
                environment=environment,
                log_group=f"/aws/sagemaker/Endpoints/{endpoint}",
                log_stream=f"{name}/{workdir.name}",
            )
            return Variant(declared=declared, place=place)

        self.variants = {v["VariantName"]: variant(v) for v in config["ProductionVariants"]}
        self.shadows = {v["VariantName"]: variant(v) for v in config.get("ShadowProductionVariants", ())}

    def start(self) -> None:
        """Start every variant's container; if one does not come up, none stays.

        Raises:
            EndpointFailure: A model cannot be had or its container is not healthy.
        """
        try:
            for variant in self._all():
                variant.start()
        except BaseException:
            self.stop()
            raise

    def choose(self, target: str | None) -> Variant:
        """The variant for one request: the one it asks for, or one by weight.

        Raises:
            UnknownVariant: There is none of that name.
        """
        if target is not None:
            if target not in self.variants:
                raise UnknownVariant(f"Variant {target} of endpoint {self._endpoint} was not found.")
            return self.variants[target]
        names = list(self.variants)
        weights = [self._weights[name] for name in names]
        return self.variants[random.choices(names, weights=weights)[0] if any(weights) else names[0]]

    def sampled(self) -> Iterable[Variant]:
        """The shadow variants that get a copy of this request: each by its weight in relation to production's."""
        production = sum(self._weights[name] for name in self.variants) or 1.0
        for name, variant in self.shadows.items():
            if random.random() * production < self._weights[name]:
                yield variant

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Change how requests are shared out."""
        self._weights.update(weights)

    def scale(self, instances: Mapping[str, int]) -> None:
        """Give variants another number of instances.

        Raises:
            EndpointFailure: The first instance of one does not come up.
        """
        for name, count in instances.items():
            self.variants[name].scale(count)

    @property
    def instances(self) -> int:
        """How many instances the production variants have together."""
        return sum(variant.instances for variant in self.variants.values())

    def care(self) -> None:
        """Look after containers that ended by themselves or idle."""
        for variant in self._all():
            variant.care()

    def drain(self) -> None:
        """Wait for the requests under way."""
        for variant in self._all():
            variant.drain(limit_s=_DRAIN_LIMIT_S)

    def stop(self) -> None:
        """End the containers and free their space."""
        for variant in self._all():
            variant.stop()

    def _all(self) -> list[Variant]:
        return [*self.variants.values(), *self.shadows.values()]
