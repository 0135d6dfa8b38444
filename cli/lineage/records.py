"""What SageMaker Lineage has recorded: asked from one entity, told as stations and links."""

from collections.abc import Iterable
from typing import Any, Literal

from botocore.exceptions import ClientError

from cli.errors import refused
from cli.lineage.stations import Direction, Graph, Station, reached
from cli.stacks import Platform
from pipeline_scripts.functions import lineage_words as words

Noun = Literal["Artifact", "Action"]

PAGES = 20
"""Of 50 entities each; a version has some 80 around it, and what is beyond is said to be left out."""

PASSED_OVER = ("DataSet", "Image", "Model", "ModelData", "ModelGroup", "ModelDeployment", "Checkpoint", "TensorBoard")
"""Types that SageMaker records of every job and deployment, which only lead from one station to the next."""

KINDS = {
    words.SOURCE_TABLE: "source table",
    words.INGESTION: "ingestion",
    words.DATASET: "dataset",
    words.COMMIT: "code",
    words.ALARM: "alarm",
    words.EXECUTION: "pipeline execution",
    words.EVIDENCE: "evidence",
    words.APPROVAL: "approval",
    words.DEPLOYMENT: "endpoint config",
    "Endpoint": "endpoint",
}
_PAGE = 50
_NOUNS = ("Artifact", "Action", "Context")
_QUERIED: dict[Direction, str] = {"up": "Ascendants", "down": "Descendants"}


class Records:
    """Adds to a graph what lineage knows."""

    def __init__(self, platform: Platform, graph: Graph) -> None:
        self._client = platform.client("sagemaker")
        self._graph = graph
        self._types: dict[str, tuple[str, str]] = {}
        self._keys: dict[str, str | None] = {}
        self._refused = False

    def follow(self, address: str, directions: Iterable[Direction], *, noun: Noun = "Artifact") -> None:
        """Follow the records from the artifact or action that stands for an address, where there is one."""
        if self._refused:
            return
        try:
            start = self._entity(address, noun)
            if start is not None:
                for direction in directions:
                    self._walk(start, direction)
        except ClientError as error:
            if not refused(error):
                raise
            self._refused = True
            self._graph.missing.append(f"SageMaker Lineage was not asked: you may not call {error.operation_name}")

    def _entity(self, address: str, noun: Noun) -> str | None:
        """The ARN of the entity, whose station is known by the address it was asked for."""
        ask: Any = getattr(self._client, f"list_{noun.lower()}s")
        summaries = ask(SourceUri=address)[f"{noun}Summaries"]
        own = [entry for entry in summaries if noun == "Artifact" or entry["ActionType"] in KINDS]
        if not own:
            return None
        arn = str(own[0][f"{noun}Arn"])
        self._keys[arn] = self._keys.get(arn) or self._told(noun, arn)
        return arn

    def _walk(self, start: str, direction: Direction) -> None:
        edges: dict[tuple[str, str], None] = {}
        request = {"StartArns": [start], "Direction": _QUERIED[direction], "IncludeEdges": True, "MaxResults": _PAGE}
        for _ in range(PAGES):
            answer = self._client.query_lineage(**request)
            self._types |= {entry["Arn"]: (entry["LineageType"], entry["Type"]) for entry in answer["Vertices"]}
            edges |= {(edge["SourceArn"], edge["DestinationArn"]): None for edge in answer.get("Edges", [])}
            if "NextToken" not in answer:
                break
            request["NextToken"] = answer["NextToken"]
        else:
            self._graph.missing.append(
                f"only {PAGES * _PAGE} entities around {start} were followed, and there are more"
            )
        self._tell(edges)

    def _tell(self, edges: Iterable[tuple[str, str]]) -> None:
        """Stations of what counts, and links between them across what does not."""
        after: dict[str, list[str]] = {}
        for source, destination in edges:
            after.setdefault(source, []).append(destination)
        for arn in list(after):
            key = self._station(arn)
            if key is None:
                continue
            behind = reached(after[arn], lambda other: after.get(other, []) if self._leads_on(other) else [])
            for other in filter(None, map(self._station, behind)):
                self._graph.link(key, other)

    def _leads_on(self, arn: str) -> bool:
        """Whether a way goes on behind an entity. SageMaker's own deployments would be a second one to the endpoint."""
        return self._station(arn) is None and self._types.get(arn, ("", ""))[1] != "ModelDeployment"

    def _station(self, arn: str) -> str | None:
        """The address of the station that an entity is, or None where it only leads from one to the next."""
        if arn not in self._keys:
            if arn not in self._types:
                return None
            noun, kind = self._types[arn]
            passed_over = noun not in _NOUNS or kind in PASSED_OVER
            self._keys[arn] = None if passed_over else self._told(noun, arn)
        return self._keys[arn]

    def _told(self, noun: str, arn: str) -> str | None:
        describe: Any = getattr(self._client, f"describe_{noun.lower()}")
        named = {"ArtifactArn": arn} if noun == "Artifact" else {f"{noun}Name": arn.split("/", 1)[1]}
        entity = describe(**named)
        kind, address = entity[f"{noun}Type"], str(entity["Source"]["SourceUri"])
        facts = {name: str(value) for name, value in entity.get("Properties", {}).items()}
        name = facts.pop("name", "")
        if ":model-package/" in address and kind != words.APPROVAL:
            return self._graph.add(version_station(address, recorded=True))
        if kind == words.APPROVAL:
            # SageMaker records each change of the status by itself, but not who made it.
            person = name.rsplit("/", 1)[-1]
            return self._graph.add(approval_station(address, person, facts, recorded=True)) if name else None
        if kind not in KINDS:
            return None
        name = name or address.rsplit("/", 1)[-1]
        return self._graph.add(Station(kind=KINDS[kind], name=name, facts=facts, key=address, recorded=True))


def version_station(package_arn: str, facts: dict[str, str] | None = None, *, recorded: bool = False) -> Station:
    """A version of a model, by its package."""
    group, number = package_arn.rsplit("/", 2)[1:]
    told = {"arn": package_arn, **(facts or {})}
    name = f"{group} version {number}"
    return Station(kind="package version", name=name, facts=told, key=package_arn, recorded=recorded)


def approval_station(package_arn: str, person: str, facts: dict[str, str], *, recorded: bool = False) -> Station:
    """Who decided about a version."""
    key = f"approval of {package_arn}"
    return Station(kind="approval", name=person, facts=facts, key=key, recorded=recorded)
