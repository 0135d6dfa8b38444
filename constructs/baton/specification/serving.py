"""How the approved version is served: by which kind of endpoint, or by none.

Each kind has keys of its own, so what a kind cannot do cannot be written down; where somebody would expect it, the
refusal says why.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from baton.specification.base import Fraction, Schedule, Specification
from baton.specification.capacity import ServingCapacity
from baton.specification.deployment import Deployment
from baton.specification.explainer import SKEWED, Explainer
from baton.specification.machine import Machine, ScalingMachine
from baton.specification.scaling import Scaling

Kind = Literal["realtime", "asynchronous", "serverless", "batch"]
Range = tuple[float, float]
Share = Annotated[float, Field(ge=0, le=1)]
Prefix = Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9._-]*/)+$", max_length=200)]

ALL_MONITORS = ("data_quality", "model_quality", "bias", "explainability")
BATCH_MONITORS = ("data_quality", "model_quality", "bias")
"""Clarify asks a served model what a prediction rests on, and would have to be told its name beforehand."""


class BusinessLimits(Specification):
    """What the answers themselves must be like, or the alarms tell, and roll a deployment back.

    `positive_share` and `mean_answer` are lowest and highest value; the others are the most requests in a minute that
    the model may refuse, and the most values in a minute that it never saw in training.
    """

    positive_share: tuple[Share, Share] | None = None
    mean_answer: Range | None = None
    refused_requests: int | None = Field(default=None, ge=0)
    unseen_categories: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _ranges_rise(self) -> "BusinessLimits":
        for name in ("positive_share", "mean_answer"):
            limits = getattr(self, name)
            if limits is not None and limits[0] >= limits[1]:
                raise ValueError(f"{name}: the lower limit must be below the upper, got {list(limits)}")
        return self


class AnyServing(Specification):
    """What every kind has. A regression has no `threshold`.

    `instance_type` is what the version is registered for, what the analyses before deployment ask it on, and, but for
    a serverless endpoint, what it is served on. `when_none_approved` decides what becomes of it when the last approval
    is taken back: `withdraw` takes it out of service, `keep` leaves the version that was proven last, and says so.
    """

    REFUSED: ClassVar[Mapping[str, str]] = {}
    """Keys of other kinds, and why this one has none of them."""

    instance_type: Machine
    threshold: Fraction | None = None
    when_none_approved: Literal["withdraw", "keep"] = "withdraw"
    limits: BusinessLimits = BusinessLimits()

    @model_validator(mode="before")
    @classmethod
    def _refuse_with_reason(cls, content: Any) -> Any:
        if isinstance(content, Mapping):
            for key, why in cls.REFUSED.items():
                if key in content and key not in cls.model_fields:
                    raise ValueError(f"{key}: {why}; remove it")
        return content

    def watched_by(self, backend: str) -> tuple[str, ...]:
        """Which monitors can watch what is served, where the analyses are of that backend."""
        return ()


class ScalingServing(AnyServing):
    """What the kinds have in common that run on instances which come and go."""

    instance_type: ScalingMachine
    deployment: Deployment = Deployment()


class Challenger(Specification):
    """A second version, which answers so many percent of the requests on instances of its own."""

    percent: int = Field(ge=1, le=50)
    instance_count: int = Field(default=1, ge=1, le=100)


class Shadow(Specification):
    """A version, or the same one on another machine, that gets a copy of so many percent of the requests.

    Its answers go to nobody.
    """

    percent: int = Field(default=100, ge=1, le=100)
    instance_type: Machine | None = None
    instance_count: int = Field(default=1, ge=1, le=100)


class RealtimeServing(ScalingServing):
    """An endpoint that answers at once and never sleeps."""

    kind: Literal["realtime"]
    capture_percent: int = Field(default=100, ge=1, le=100)
    invocations_per_instance: int = Field(default=1000, ge=1, description="per minute, the scaling target")
    max_latency_ms: int = Field(default=200, ge=1)
    scaling: Scaling = Scaling()
    challenger: Challenger | None = None
    shadow: Shadow | None = None
    explainer: Explainer | None = None

    @model_validator(mode="after")
    def _explainer_stands_alone(self) -> "RealtimeServing":
        if self.explainer is None:
            return self
        if self.challenger is not None or self.shadow is not None:
            second = "challenger" if self.challenger else "shadow"
            raise ValueError(f"explainer: it compares with a record of one version; remove it or {second}")
        for name in SKEWED:
            if getattr(self.limits, name) is not None:
                raise ValueError(
                    f"limits.{name}: an explainer asks the model hundreds of questions for a row, which would count; "
                    "remove it or explainer"
                )
        return self

    @model_validator(mode="after")
    def _variants_go_together(self) -> "RealtimeServing":
        if self.challenger is not None and self.shadow is not None:
            raise ValueError("shadow: SageMaker shadows an endpoint of a single variant; remove it or challenger")
        second = "challenger" if self.challenger else "shadow" if self.shadow else None
        if second is not None and self.deployment.strategy == "rolling":
            raise ValueError(
                f"deployment.strategy: SageMaker rolls endpoints of a single variant only; take another one, or "
                f"remove {second}"
            )
        return self

    def watched_by(self, backend: str) -> tuple[str, ...]:
        """All of them: its traffic is captured."""
        return ALL_MONITORS


NOT_EXPLAINED = "Clarify explains at real-time endpoints only; ask for attributions with a request"
UNWATCHED = "SageMaker captures the traffic of no {kind} endpoint, so no monitor can watch it"


class UnwatchedServing(AnyServing):
    """What the kinds have in common that no monitor can watch: `monitors: none` accepts it, in so many words.

    What is left are the alarms: on errors, on time, and on `limits`.
    """

    kind: Kind
    monitors: Literal["none"]

    @model_validator(mode="before")
    @classmethod
    def _accepts_that(cls, content: Any) -> Any:
        if isinstance(content, Mapping) and content.get("monitors") != "none":
            raise ValueError(f"monitors: {UNWATCHED.format(kind=content.get('kind'))}; write none to accept that")
        return content


TAKEN = ("canary/", "capture/", "ground-truth/", "reports/")
"""Prefixes of the monitoring zone that belong to the proof of a version, and to the monitors."""


def _check_prefixes(*, input_prefix: str, **others: str) -> None:
    for name, prefix in {"input_prefix": input_prefix, **others}.items():
        if prefix.startswith(TAKEN):
            raise ValueError(f"{name}: {prefix} is taken by monitors and canaries; choose another")
    for name, prefix in others.items():
        if prefix.startswith(input_prefix):
            raise ValueError(f"{name}: lies below input_prefix, {input_prefix}, so answers would count as requests")


class AsynchronousServing(ScalingServing, UnwatchedServing):
    """An endpoint that takes its requests from S3, answers there, and stops its last instance when none are left.

    Prefixes lie below the model's own in the monitoring zone. Another instance is added for every
    `backlog_per_instance` requests that wait.
    """

    REFUSED: ClassVar[Mapping[str, str]] = {
        "capture_percent": UNWATCHED.format(kind="asynchronous"),
        "challenger": "an asynchronous endpoint has a single variant",
        "shadow": "an asynchronous endpoint has a single variant",
        "explainer": NOT_EXPLAINED,
        "scaling": "an asynchronous endpoint follows its backlog, by backlog_per_instance",
        "invocations_per_instance": "an asynchronous endpoint follows its backlog, by backlog_per_instance",
        "max_latency_ms": "nobody waits for an asynchronous answer; its alarm is on max_age_minutes",
    }
    kind: Literal["asynchronous"]
    input_prefix: Prefix = "asynchronous/requests/"
    output_prefix: Prefix = "asynchronous/answers/"
    failure_prefix: Prefix = "asynchronous/failures/"
    max_concurrent_invocations: int = Field(default=4, ge=1, le=1000)
    backlog_per_instance: int = Field(default=5, ge=1)
    max_age_minutes: int = Field(default=60, ge=15, le=24 * 60)

    @model_validator(mode="after")
    def _keeps_answers_apart(self) -> "AsynchronousServing":
        _check_prefixes(
            input_prefix=self.input_prefix, output_prefix=self.output_prefix, failure_prefix=self.failure_prefix
        )
        return self


class ServerlessServing(UnwatchedServing):
    """An endpoint without instances: it starts when a request comes, outside the private network.

    `memory_mb` also decides the share of a processor. `provisioned_concurrency` keeps so many containers warm.
    """

    REFUSED: ClassVar[Mapping[str, str]] = {
        "capture_percent": UNWATCHED.format(kind="serverless"),
        "deployment": "SageMaker moves a serverless endpoint all at once, without steps and without roll-back",
        "challenger": "a serverless endpoint has a single variant",
        "shadow": "a serverless endpoint has a single variant",
        "explainer": NOT_EXPLAINED,
        "scaling": "a serverless endpoint scales by itself, up to max_concurrency",
        "invocations_per_instance": "a serverless endpoint has no instances; it scales up to max_concurrency",
    }
    kind: Literal["serverless"]
    network: Literal["public"]
    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    max_concurrency: int = Field(default=10, ge=1, le=200)
    provisioned_concurrency: int | None = Field(default=None, ge=1, le=200)
    max_latency_ms: int = Field(default=1000, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _accepts_its_network(cls, content: Any) -> Any:
        if isinstance(content, Mapping) and content.get("network") != "public":
            raise ValueError(
                "network: a serverless endpoint can stand neither in the private subnets nor without a network; "
                "write public to accept that"
            )
        return content

    @model_validator(mode="after")
    def _keeps_no_more_than_it_may(self) -> "ServerlessServing":
        if self.provisioned_concurrency is not None and self.provisioned_concurrency > self.max_concurrency:
            raise ValueError(f"provisioned_concurrency: at most max_concurrency, which is {self.max_concurrency}")
        return self


class BatchServing(AnyServing):
    """No endpoint: a transform job on a schedule, over the CSV files below `input_prefix`, answers by `output_prefix`.

    Both lie below the model's own prefix in the monitoring zone. `monitors: managed` has Model Monitor watch it where
    the environment's analyses are managed, and nobody where they are open, whose scripts read endpoints' captures only.
    """

    REFUSED: ClassVar[Mapping[str, str]] = {
        "capture_percent": "a transform captures all of its requests or none; monitors decides which",
        "deployment": "there is no endpoint to move; the next run takes the new version",
        "challenger": "there is no traffic to divide",
        "shadow": "there is no traffic to copy",
        "explainer": "Clarify explains at real-time endpoints only",
        "scaling": "a transform has as many instances as instance_count says",
        "invocations_per_instance": "a transform has as many instances as instance_count says",
        "max_latency_ms": "nobody waits for the answers of a transform; its alarm is on its failure",
    }
    kind: Literal["batch"]
    monitors: Literal["managed", "none"]
    schedule: Schedule
    input_prefix: Prefix = "batch/requests/"
    output_prefix: Prefix = "batch/answers/"
    instance_count: int = Field(default=1, ge=1, le=20)
    max_runtime_minutes: int = Field(default=120, ge=1, le=24 * 60)

    @model_validator(mode="after")
    def _keeps_answers_apart(self) -> "BatchServing":
        _check_prefixes(input_prefix=self.input_prefix, output_prefix=self.output_prefix)
        return self

    def watched_by(self, backend: str) -> tuple[str, ...]:
        """What Model Monitor can say of captured transforms."""
        return BATCH_MONITORS if self.monitors == backend == "managed" else ()


def _of_a_kind(content: Any) -> Any:
    """Without a word, the endpoint that answers at once."""
    return {"kind": "realtime", **content} if isinstance(content, Mapping) else content


Serving = Annotated[
    RealtimeServing | AsynchronousServing | ServerlessServing | BatchServing,
    Field(discriminator="kind"),
    BeforeValidator(_of_a_kind),
]


def misfit_of_deployment(serving: AnyServing, capacity: ServingCapacity) -> str | None:
    """What of its deployment SageMaker would refuse on fleets of that size, as key and reason; None if nothing."""
    return serving.deployment.on(capacity).misfit() if isinstance(serving, ScalingServing) else None


def misfit_of_explainer(serving: AnyServing, backend: str) -> str | None:
    """Why the endpoint cannot explain where the analyses are of that backend; None if it can, or shall not."""
    explains = isinstance(serving, RealtimeServing) and serving.explainer is not None
    if not explains or backend == "open":
        return None
    return "explainer: it wraps the answers, and Model Monitor reads plain ones"
