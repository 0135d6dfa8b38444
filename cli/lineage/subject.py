"""What a trace is asked about: told apart by its looks, and looked up where it is kept."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Literal

from cli import capture, ledger, registry
from cli.errors import BatonError
from cli.lineage.records import Noun
from cli.lineage.stations import Graph, Station
from cli.serving import serving
from cli.stacks import Platform
from pipeline_scripts.functions import lineage_words as words

Kind = Literal["prediction", "version", "dataset", "commit"]

LOOKS: tuple[tuple[Kind, str], ...] = (
    ("version", r"[vV]?\d{1,5}|arn:[^:]+:sagemaker:.*:model-package/.+"),
    ("dataset", r"s3://.+|[0-9a-f]{64}"),
    ("commit", r"[0-9a-f]{7,40}"),
)
SHORTEST_HASH = 8


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Where a trace starts: a station that is in the graph, and the versions around it, newest first.

    `recorded_as` is the address by which SageMaker Lineage knows it, where that is none of the versions. Nothing comes
    of what is the `last`.
    """

    key: str
    versions: Sequence[registry.Version]
    recorded_as: str | None = None
    noun: Noun = "Artifact"
    last: bool = False


def resolve(platform: Platform, asked: str, graph: Graph, *, kind: Kind | None, hours: int) -> Subject:
    """Find the subject, and put its station into the graph.

    Raises:
        BatonError: There is none.
    """
    kind = kind or next((name for name, looks in LOOKS if re.fullmatch(looks, asked)), "prediction")
    if kind == "version":
        return _version(platform, asked)
    if kind == "dataset":
        return _dataset(platform, asked, graph)
    if kind == "commit":
        return _commit(platform, asked, graph)
    return _prediction(platform, asked, graph, hours=hours)


def _version(platform: Platform, asked: str) -> Subject:
    number = asked.lower().removeprefix("v")
    found = registry.version(platform, int(number)) if number.isdigit() else registry.describe(platform, asked)
    return Subject(key=found.arn, versions=[found])


def _dataset(platform: Platform, asked: str, graph: Graph) -> Subject:
    known = registry.versions(platform)
    if asked.startswith("s3://"):
        address = words.dataset_address(asked.removesuffix("_manifest.json"))
    else:
        address = _address_of_hash(platform, asked, known, graph)
    made = [version for version in known if words.dataset_address(version.dataset_uri) == address]
    name = made[0].dataset_hash if made else address
    key = graph.add(Station(kind="dataset", name=name, facts={}, key=address))
    return Subject(key=key, versions=made, recorded_as=key)


def _address_of_hash(platform: Platform, asked: str, known: Sequence[registry.Version], graph: Graph) -> str:
    """Where a data set lies; the newest place, of several."""
    same = [version for version in known if len(asked) >= SHORTEST_HASH and version.dataset_hash.startswith(asked)]
    if not same:
        raise BatonError(
            f"no version of {platform.model} was trained on a data set whose hash is {asked}; "
            "give its s3:// address to find one that no version was trained on"
        )
    addresses = list(dict.fromkeys(words.dataset_address(version.dataset_uri) for version in same))
    if len(addresses) > 1:
        graph.missing.append(f"data of this hash was published elsewhere too: trace {', '.join(addresses[1:])}")
    return addresses[0]


def _commit(platform: Platform, asked: str, graph: Graph) -> Subject:
    known = registry.versions(platform)
    made = [version for version in known if version.commit.startswith(asked)]
    commits = {version.commit for version in made}
    if len(commits) > 1:
        raise BatonError(f"{asked} is the start of {len(commits)} commits: {', '.join(sorted(commits))}")
    commit = made[0].commit if made else asked
    author = {"author": made[0].author} if made else {}
    key = graph.add(Station(kind="code", name=commit, facts=author, key=words.commit_address(commit)))
    return Subject(key=key, versions=made, recorded_as=key)


def _prediction(platform: Platform, asked: str, graph: Graph, *, hours: int) -> Subject:
    found = capture.find(platform, serving(platform), asked, hours=hours)
    config, model, package_arn = _served_then(platform, found)
    here = platform.output("data-lake", "NotificationTopicArn")
    told = {"time": found.time, "request": found.request, "answer": found.answer, "captured": found.uri}
    prediction = graph.add(Station(kind="prediction", name=asked, facts=told, key=f"{found.uri}#{found.event_id}"))
    endpoint = graph.add(
        Station(
            kind="endpoint",
            name=found.endpoint,
            facts={"variant": found.variant},
            key=words.of_sagemaker("endpoint", found.endpoint, beside=here),
        )
    )
    key = words.of_sagemaker("endpoint-config", config, beside=here)
    graph.add(Station(kind="endpoint config", name=config, facts={"model": model}, key=key))
    graph.link(package_arn, key)
    graph.link(key, endpoint)
    graph.link(endpoint, prediction)
    version = registry.describe(platform, package_arn)
    return Subject(key=prediction, versions=[version], recorded_as=key, noun="Action", last=True)


def _served_then(platform: Platform, prediction: capture.Prediction) -> tuple[str, str, str]:
    """Endpoint config, model and model package behind an endpoint at the moment of a prediction."""
    client = platform.client("sagemaker")
    endpoint = client.describe_endpoint(EndpointName=prediction.endpoint)
    if endpoint["LastModifiedTime"].astimezone(UTC) > prediction.moment:
        # The endpoint has moved on since; CloudFormation deleted the config of then, but the ledger remembers it.
        entry = ledger.served_at(platform, prediction.endpoint, prediction.moment)
        if entry is None:
            raise BatonError(
                f"endpoint {prediction.endpoint} was changed after this prediction of {prediction.time}, "
                "and the ledger names no version that was proven to serve before it"
            )
        return entry.config_name, "replaced since", entry.package_arn
    config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = next(
        entry["ModelName"] for entry in config["ProductionVariants"] if entry["VariantName"] == prediction.variant
    )
    described = client.describe_model(ModelName=model)
    containers = described.get("Containers") or [described["PrimaryContainer"]]
    return endpoint["EndpointConfigName"], model, containers[0]["ModelPackageName"]
