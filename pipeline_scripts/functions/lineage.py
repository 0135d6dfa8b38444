"""Tells SageMaker Lineage what has happened, after it has happened.

What is told has a name or an address of its own, so that telling it again changes nothing. Nothing waits for lineage
and nothing fails by it: what could not be told is logged and counted, and as each step tells the stations beside its
own too, the next step mends most of it.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

logger = Logger(service="lineage")

NAMESPACE = "Baton/Lineage"
LOST = "Lost"
PATIENCE = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})
"""A business step has a minute; what it tells lineage may take a part of it only."""

LONGEST_VALUE = 2500


@dataclass(frozen=True, kw_only=True)
class Entity:
    """One entity. Artifacts are known by their address; actions by a name made of their kind, address and title.

    A context is SageMaker's own and is only looked for.
    """

    noun: Literal["Artifact", "Action", "Context"]
    kind: str
    address: str
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it this one and no other."""
        if self.noun == "Action":
            return (self.kind, self.address, self.properties.get("name", ""))
        return (self.noun, self.address, "")

    def action_name(self, prefix: str) -> str:
        """The name of an action, the same whenever the same is told."""
        digest = hashlib.sha256("|".join(self.identity).encode()).hexdigest()[:16]
        return f"{prefix}-{self.kind.lower()}-{digest}"


Link = tuple[Entity, Entity]


class Lineage:
    """Records links between entities, and the entities with them.

    Args:
        client: SageMaker's.
        prefix: What the names of this model's actions begin with; the role may make no others.
    """

    def __init__(self, client: Any, *, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def tell(self, links: Iterable[Link]) -> None:
        """Record that each first entity led to the second."""
        arns: dict[tuple[str, str, str], str | None] = {}
        try:
            for link in links:
                for entity in link:
                    if entity.identity not in arns:
                        arns[entity.identity] = self._entity(entity)
                source, destination = (arns[entity.identity] for entity in link)
                if source and destination:
                    self._associate(source, destination, kind=_association(*link))
        except (ClientError, BotoCoreError):
            logger.exception("could not be told to lineage")
            metrics = EphemeralMetrics(namespace=NAMESPACE, service="")
            metrics.add_dimension("Prefix", self._prefix)
            metrics.add_metric(LOST, MetricUnit.Count, 1)
            metrics.flush_metrics()

    def _entity(self, entity: Entity) -> str | None:
        """The ARN of an entity, which is made where it is not there yet."""
        if entity.noun == "Context":
            contexts = self._client.list_contexts(SourceUri=entity.address, ContextType=entity.kind)
            return _first(contexts["ContextSummaries"], "ContextArn")
        source = {"SourceUri": entity.address}
        properties = {name: value[:LONGEST_VALUE] for name, value in entity.properties.items() if value}
        if entity.noun == "Artifact":
            listed = {"SourceUri": entity.address}
            return self._made(
                lambda: self._client.create_artifact(Source=source, ArtifactType=entity.kind, Properties=properties),
                lambda: _first(self._client.list_artifacts(**listed)["ArtifactSummaries"], "ArtifactArn"),
                "ArtifactArn",
            )
        name = entity.action_name(self._prefix)
        return self._made(
            lambda: self._client.create_action(
                ActionName=name, Source=source, ActionType=entity.kind, Status="Completed", Properties=properties
            ),
            lambda: str(self._client.describe_action(ActionName=name)["ActionArn"]),
            "ActionArn",
        )

    @staticmethod
    def _made(make: Callable[[], Any], find: Callable[[], str | None], key: str) -> str:
        """Lineage refuses what is there already, with the code of any wrong request: so it is looked for then."""
        try:
            return str(make()[key])
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "ValidationException":
                raise
            found = find()
            if found is None:
                raise
            return found

    def _associate(self, source: str, destination: str, *, kind: str) -> None:
        try:
            self._client.add_association(SourceArn=source, DestinationArn=destination, AssociationType=kind)
        except ClientError as refusal:
            # Both ends are there, so the one thing that can be wrong is that they are associated already.
            if refusal.response["Error"]["Code"] != "ValidationException":
                raise


def open_lineage() -> Lineage:
    """The lineage that the function's environment names."""
    return Lineage(boto3.client("sagemaker", config=PATIENCE), prefix=os.environ["LINEAGE_PREFIX"])


def artifact(kind: str, address: str, **properties: str) -> Entity:
    """A thing that has an address."""
    return Entity(noun="Artifact", kind=kind, address=address, properties=properties)


def action(kind: str, address: str, **properties: str) -> Entity:
    """Something that was done."""
    return Entity(noun="Action", kind=kind, address=address, properties=properties)


def _association(earlier: Entity, later: Entity) -> str:
    if later.noun == "Context":
        return "AssociatedWith"
    return "Produced" if earlier.noun == "Action" and later.noun == "Artifact" else "ContributedTo"


def _first(summaries: list[dict[str, Any]], key: str) -> str | None:
    return str(summaries[0][key]) if summaries else None
