"""`baton trace`: the stations around a prediction, a version, a data set or a commit.

The registry, the ledger and the capture are the words that count. SageMaker Lineage adds what they do not know, and
where it lacks what they do know, the trace says so.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from cli import ledger, registry
from cli.errors import BatonError
from cli.lineage.records import Records, approval_station, version_station
from cli.lineage.stations import Direction, Graph, Station, Trace
from cli.lineage.subject import Kind, Subject, resolve
from cli.stacks import Platform
from cli.storage import read_json
from pipeline_scripts.functions import lineage_words as words

BOTH: tuple[Direction, ...] = ("up", "down")
VERSIONS = 10
"""How many versions of one data set or commit are followed, the newest."""


def trace(
    platform: Platform,
    asked: str,
    *,
    kind: Kind | None = None,
    directions: Sequence[Direction] = BOTH,
    hours: int = 24,
) -> Trace:
    """What made the subject, and what came of it.

    Args:
        platform: Where to ask.
        asked: An inference id, a version's number or ARN, a data set's hash or address, or a commit.
        kind: What `asked` is, where its looks would mislead.
        directions: up, to what made it; down, to what came of it.
        hours: How far back to look for a prediction.

    Raises:
        BatonError: There is no such subject, or what was served at its time is not known.
    """
    graph = Graph()
    subject = resolve(platform, asked, graph, kind=kind, hours=hours)
    if subject.last:
        directions = ("up",)
    followed = subject.versions[:VERSIONS]
    if len(followed) < len(subject.versions):
        graph.missing.append(f"the newest {VERSIONS} of its {len(subject.versions)} versions are told, the others not")
    for version in followed:
        _told_by_registry(platform, graph, version)
    _told_by_ledger(platform, graph, followed, directions)
    _told_by_lineage(platform, graph, subject, followed, directions)
    for station in list(graph.stations.values()):
        if station.kind == "pipeline execution":
            graph.add(_execution(platform, station))
    found = graph.around(subject.key, directions)
    first = found.stations[0]
    if not found.links and not first.recorded:
        raise BatonError(
            f"neither the registry of {platform.model} nor SageMaker Lineage knows a {first.kind} {asked}; "
            "if it is something else, say so with --kind"
        )
    return _with_gaps(found)


def _told_by_registry(platform: Platform, graph: Graph, version: registry.Version) -> None:
    made = {"status": version.status, "artifact_sha256": version.artifact_sha256, "image": version.image}
    package = graph.add(version_station(version.arn, made))
    commit, execution, evidence = (
        graph.add(Station(kind=kind, name=name, facts=facts, key=key))
        for kind, name, facts, key in (
            ("code", version.commit, {"author": version.author}, words.commit_address(version.commit)),
            ("pipeline execution", version.execution, {"reason": version.reason}, version.execution),
            ("evidence", version.evidence_uri, {}, words.evidence_address(version.evidence_uri)),
        )
    )
    graph.link(commit, execution)
    graph.link(graph.add(_dataset(platform, graph, version)), execution)
    graph.link(execution, evidence)
    graph.link(execution, package)
    graph.link(evidence, package)
    if version.decided_by:
        decision = {"decision": version.status, "comment": version.comment}
        graph.link(graph.add(approval_station(version.arn, version.decided_by, decision)), package)


def _told_by_ledger(
    platform: Platform, graph: Graph, versions: Sequence[registry.Version], directions: Sequence[Direction]
) -> None:
    """Where versions were proven to serve; a prediction's way up has its endpoint config already."""
    if "down" not in directions or not versions:
        return
    here = platform.output("data-lake", "NotificationTopicArn")
    endpoint = platform.output("serving", "EndpointName")
    known = {version.arn for version in versions}
    for entry in ledger.history(platform, endpoint):
        if entry.kind == "served" and entry.package_arn in known:
            facts = {"endpoint": endpoint, "served": f"{entry.at:%Y-%m-%d %H:%M:%S}"}
            key = words.of_sagemaker("endpoint-config", entry.config_name, beside=here)
            config = graph.add(Station(kind="endpoint config", name=entry.config_name, facts=facts, key=key))
            graph.link(entry.package_arn, config)
            address = words.of_sagemaker("endpoint", endpoint, beside=here)
            served = Station(kind="endpoint", name=endpoint, facts={}, key=address)
            graph.link(config, graph.add(served))


def _told_by_lineage(
    platform: Platform,
    graph: Graph,
    subject: Subject,
    versions: Sequence[registry.Version],
    directions: Sequence[Direction],
) -> None:
    records = Records(platform, graph)
    if subject.recorded_as is not None:
        # Between an endpoint config and what is the last lies the endpoint.
        records.follow(subject.recorded_as, BOTH if subject.last else directions, noun=subject.noun)
    for version in versions:
        if not graph.stations[version.arn].recorded:  # or the way from the subject has led there
            records.follow(version.arn, directions)


def _execution(platform: Platform, station: Station) -> Station:
    try:
        described: dict[str, Any] = platform.client("sagemaker").describe_pipeline_execution(
            PipelineExecutionArn=station.key
        )
        started: datetime = described["CreationTime"]
        facts = {"status": described["PipelineExecutionStatus"], "started": f"{started:%Y-%m-%d %H:%M:%S}"}
    except ClientError:
        facts = {"status": "no longer kept by SageMaker"}
    return Station(kind=station.kind, name=station.name, facts=facts, key=station.key)


def _dataset(platform: Platform, graph: Graph, version: registry.Version) -> Station:
    address = words.dataset_address(version.dataset_uri)
    uri = f"{address}/_manifest.json"
    facts = {"manifest": uri}
    if address not in graph.stations or "check" not in graph.stations[address].facts:
        facts |= _checked(read_json(platform.connection, uri), version)
    return Station(kind="dataset", name=version.dataset_hash, facts=facts, key=address)


def _checked(manifest: dict[str, Any] | None, version: registry.Version) -> dict[str, str]:
    """What a data set's manifest says now, compared with the hash that the version was registered with."""
    if manifest is None:
        return {"check": "the manifest is gone"}
    same = manifest["dataset_hash"] == version.dataset_hash
    verdict = "the manifest's hash is the version's" if same else f"the manifest now says {manifest['dataset_hash']}"
    return {"rows": str(manifest["rows"]), "as_of": manifest["as_of"], "check": verdict}


def _with_gaps(found: Trace) -> Trace:
    """The trace, with what it knows although SageMaker Lineage does not."""
    lacking = [s for s in found.stations if not s.recorded and s.kind != "prediction"]
    gaps = tuple(f"SageMaker Lineage does not lead to the {station.kind} {station.name}" for station in lacking)
    return Trace(subject=found.subject, stations=found.stations, links=found.links, missing=(*found.missing, *gaps))
