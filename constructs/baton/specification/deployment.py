"""How an endpoint moves from one version to the next, within what SageMaker's deployment guardrails allow.

See:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeploymentConfig.html
"""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from baton.specification.base import Specification
from baton.specification.capacity import ServingCapacity

Strategy = Literal["canary", "linear", "rolling", "all_at_once"]
Minutes = Annotated[int, Field(ge=0, le=60)]  # SageMaker waits at most an hour

PERCENT_OF_FLEET: Mapping[str, tuple[int, int]] = {"canary": (1, 50), "linear": (10, 50), "rolling": (5, 50)}
"""How much of a fleet SageMaker moves in one step, at least and at most."""

LONGEST_DEPLOYMENT = 8 * 60
"""Minutes after which SageMaker gives up any deployment."""

PROVISIONING = 30
"""Minutes that SageMaker may take, beside the waits, to start one fleet and to stop the other."""

BATCH_PROVISIONING = 10
"""Minutes that it may take to start the instances of one batch, where a fleet is replaced batch by batch."""


class Step(Specification):
    """How much of the fleet moves at once: so many `instances`, or so many `percent` of however many there are."""

    instances: int | None = Field(default=None, ge=1, le=50)
    percent: int | None = Field(default=None, ge=1, le=50)

    @model_validator(mode="after")
    def _one_of_both(self) -> "Step":
        if (self.instances is None) is (self.percent is None):
            raise ValueError("a step is counted either in instances or in percent; give one of both")
        return self

    def steps_of(self, fleet: int) -> int:
        """How many steps move a whole fleet of that many instances."""
        return math.ceil(fleet / self.instances) if self.instances else math.ceil(100 / (self.percent or 100))


class Deployment(Specification):
    """The strategy, its steps and its waits.

    canary moves one step, watches it, and then moves the rest; linear moves step by step; both keep the old fleet for
    `keep_minutes` after the last one. rolling replaces the fleet in batches and never pays for two. all_at_once moves
    everything and keeps the old fleet beside it. `wait_minutes` is how long the alarms watch each step. What is left
    out follows from the environment: both waits are its `bake_minutes`.

    A fleet of one instance cannot be divided, so it moves all at once whatever is said here.
    """

    strategy: Strategy = "canary"
    step: Step | None = None
    wait_minutes: Annotated[Minutes, Field(ge=1)] | None = None
    keep_minutes: Minutes | None = None

    @model_validator(mode="after")
    def _says_what_its_strategy_does(self) -> "Deployment":
        if self.strategy == "all_at_once" and self.step is not None:
            raise ValueError("step: all_at_once has no steps; remove it or choose another strategy")
        if self.strategy == "rolling" and self.keep_minutes is not None:
            raise ValueError("keep_minutes: a rolling deployment keeps no old fleet; remove it")
        if self.step is not None and self.step.percent is not None:
            low, high = PERCENT_OF_FLEET[self.strategy]
            if not low <= self.step.percent <= high:
                raise ValueError(f"step.percent: a {self.strategy} step is {low} to {high} percent of the fleet")
        return self

    def on(self, capacity: ServingCapacity) -> "Rollout":
        """This deployment, on a fleet of that size."""
        return Rollout(wanted=self, capacity=capacity)


class Rollout(Specification):
    """A deployment on the fleet of one environment: what is really done, and how long that may take."""

    wanted: Deployment
    capacity: ServingCapacity

    @property
    def strategy(self) -> Strategy:
        """The strategy that the fleet allows."""
        return "all_at_once" if self.capacity.instance_count == 1 else self.wanted.strategy

    @property
    def step(self) -> Step:
        """What moves at once: one instance unless told, the smallest part of any fleet."""
        return self.wanted.step or Step(instances=1)

    @property
    def wait_minutes(self) -> int:
        """How long the alarms watch each step."""
        return self._or_bake(self.wanted.wait_minutes)

    @property
    def keep_minutes(self) -> int:
        """How long the old fleet waits beside the new one after the last step."""
        return 0 if self.strategy == "rolling" else self._or_bake(self.wanted.keep_minutes)

    @property
    def limit_minutes(self) -> int:
        """When SageMaker gives up: more than all waits together, or no deployment could end.

        The fleet is counted as large as it may have scaled.
        """
        steps = self.step.steps_of(self.capacity.max_instance_count) if self.strategy in ("linear", "rolling") else 1
        each = self.wait_minutes + (BATCH_PROVISIONING if self.strategy == "rolling" else 0)
        return steps * each + self.keep_minutes + PROVISIONING

    def misfit(self) -> str | None:
        """What of this SageMaker would refuse, as key and reason; None if nothing."""
        instances = self.step.instances
        if self.strategy != "all_at_once" and instances is not None:
            least, most = self.capacity.max_instance_count, self.capacity.instance_count
            low, high = PERCENT_OF_FLEET[self.strategy]
            if 100 * instances > high * most:
                return f"step: {instances} of {most} instances are more than half of the fleet; move fewer"
            if 100 * instances < low * least:
                return (
                    f"step: {instances} of up to {least} instances are less than the {low} percent that a "
                    f"{self.strategy} step must be; move more, or say it in percent"
                )
        if self.limit_minutes > LONGEST_DEPLOYMENT:
            return (
                f"wait_minutes: all steps together could take {self.limit_minutes} minutes, and SageMaker gives up "
                f"after {LONGEST_DEPLOYMENT}; wait less or take larger steps"
            )
        return None

    def _or_bake(self, minutes: int | None) -> int:
        return self.capacity.bake_minutes if minutes is None else minutes
