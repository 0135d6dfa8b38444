"""`baton trace` in front of a canned AWS: what the registry, the ledger and lineage tell becomes one graph."""

import json
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from canned import ARN, CannedConnection, Refused, World, captured, metadata

from cli.errors import BatonError
from cli.lineage.picture import draw
from cli.lineage.stations import Station, Trace

if TYPE_CHECKING:
    from click.testing import Result

PACKAGE = f"{ARN}:model-package/bank-churn/1"
EXECUTION = f"{ARN}:pipeline/p/execution/e1"
DATASET = "s3://curated/bank_churn/runs/r1"
METADATA = metadata


def spoken(result: "Result") -> str:
    assert result.exit_code == 1, result.output
    return " ".join(result.stderr.split())


def capture(world: World, inference_id: str, time: str) -> None:
    uri = "s3://monitoring/bank_churn/capture/ep/primary/2026/11/23/09/a.jsonl"
    world.put(uri, captured("another", time) + captured(inference_id, time))


def manifest(world: World, dataset_hash: str = "f00d" * 16) -> None:
    content = {"dataset_hash": dataset_hash, "rows": 10_000, "as_of": "2026-11-22"}
    world.put(f"{DATASET}/_manifest.json", content)


def record(world: World) -> None:
    """What the platform and SageMaker record of version 1, which an alarm had asked for."""
    add = world.lineage.add
    endpoint = add("Context", "Endpoint", f"{ARN}:endpoint/ep")
    deployment = add("Action", "Deployment", f"{ARN}:endpoint-config/config-1", endpoint, name="config-1")
    package = add("Artifact", "Model", PACKAGE, deployment)
    evidence_uri = "s3://evidence/bank_churn/e1/evidence/bundle.json"
    approval = add("Action", "Approval", PACKAGE, package, name="grace", comment="sound")
    evidence = add("Artifact", "Evidence", evidence_uri, approval, name="ab" * 32)
    add("Action", "Approval", PACKAGE, package)  # SageMaker's own, which names nobody
    model = add("Artifact", "Model", "s3://models/model.tar.gz", package)
    execution = add("Action", "PipelineExecution", EXECUTION, evidence, model, name=EXECUTION)
    add("Artifact", "Commit", "commit:617812cabcde", execution, name="617812cabcde", author="Ada")
    add("Artifact", "Alarm", "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:drift", execution, name="drift")
    dataset = add("Artifact", "CuratedDataset", DATASET, execution, name="f00d" * 16)
    add("Action", "Ingestion", "arn:aws:states:eu-west-1:000000000000:execution:i:r1", dataset, name="r1")


@pytest.fixture
def traced(baton: Any, world: World) -> Any:
    """What a trace tells as JSON: the stations by kind, and the rest."""
    capture(world, "req-7", "2026-11-23T09:20:00Z")
    manifest(world)

    def trace(*arguments: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        result = baton("trace", *arguments, "--json")
        assert result.exit_code == 0, result.output
        told = json.loads(result.stdout)
        return {station["kind"]: station for station in told["stations"]}, told

    return trace


def test_prediction_leads_to_code_and_people(traced: Any, world: World) -> None:
    record(world)
    stations, told = traced("req-7")
    assert set(stations) == {
        "prediction",
        "endpoint",
        "endpoint config",
        "package version",
        "approval",
        "evidence",
        "pipeline execution",
        "code",
        "alarm",
        "dataset",
        "ingestion",
    }
    assert told["stations"][0]["kind"] == "prediction"
    assert told["missing"] == []
    assert stations["prediction"]["facts"]["answer"] == "0.123"
    assert stations["endpoint config"]["facts"]["model"] == "model-1"
    assert stations["dataset"]["facts"]["check"] == "the manifest's hash is the version's"
    assert (stations["code"]["name"], stations["code"]["facts"]["author"]) == ("617812cabcde", "Ada")
    assert stations["approval"]["name"] == "grace"


def test_links_lead_from_the_earlier_to_the_later(traced: Any, world: World) -> None:
    record(world)
    stations, told = traced("req-7")
    links = {tuple(link) for link in told["links"]}
    kinds = {station["key"]: station["kind"] for station in told["stations"]}
    assert {("code", "pipeline execution"), ("pipeline execution", "package version")} <= {
        (kinds[earlier], kinds[later]) for earlier, later in links
    }
    assert (stations["endpoint"]["key"], stations["prediction"]["key"]) in links


def test_what_lineage_lacks_is_told_all_the_same_and_named(traced: Any) -> None:
    stations, told = traced("req-7")
    assert stations["code"]["facts"]["author"] == "Ada"
    assert "SageMaker Lineage does not lead to the code 617812cabcde" in told["missing"]


def test_lineage_that_may_not_be_asked_is_named(traced: Any, world: World) -> None:
    def refuse(_: Any) -> Any:
        raise Refused("AccessDeniedException", "not you")

    world.answers["sagemaker.ListArtifacts"] = world.answers["sagemaker.ListActions"] = refuse
    stations, told = traced("req-7")
    assert stations["code"]["name"] == "617812cabcde"
    assert told["missing"][0] == "SageMaker Lineage was not asked: you may not call ListActions"


def test_version_both_ways(traced: Any, world: World) -> None:
    record(world)
    stations, _ = traced("1")
    assert {"code", "endpoint"} <= set(stations)
    assert stations["endpoint config"]["facts"]["served"] == "2026-11-23 08:00:00"


@pytest.mark.parametrize("asked", ["f00d" * 16, DATASET, f"{DATASET}/_manifest.json"])
def test_dataset_down_to_what_was_made_of_it(traced: Any, world: World, asked: str) -> None:
    record(world)
    stations, told = traced(asked, "--down")
    assert told["stations"][0]["kind"] == "dataset"
    assert {"pipeline execution", "package version", "endpoint"} <= set(stations)
    assert not {"ingestion", "code"} & set(stations)


def test_dataset_up_to_its_ingestion(traced: Any, world: World) -> None:
    record(world)
    stations, _ = traced(DATASET, "--up")
    assert set(stations) == {"dataset", "ingestion"}


def test_commit_down_to_its_versions(traced: Any, world: World) -> None:
    record(world)
    _, told = traced("617812c", "--down")
    versions = {station["name"] for station in told["stations"] if station["kind"] == "package version"}
    assert versions == {"bank-churn version 1", "bank-churn version 2"}


def test_execution_that_registered_nothing_is_found_in_lineage(traced: Any, world: World) -> None:
    failed = world.lineage.add("Action", "PipelineExecution", f"{ARN}:pipeline/p/execution/e9", name="e9")
    world.lineage.add("Artifact", "Commit", "commit:badc0de1", failed, name="badc0de1", author="Bob")
    stations, _ = traced("badc0de1")
    assert set(stations) == {"code", "pipeline execution"}
    assert stations["code"]["facts"]["author"] == "Bob"


def test_all_pages_are_read(traced: Any, world: World) -> None:
    record(world)
    world.lineage.page = 2
    stations, _ = traced("1", "--up")
    assert {"alarm", "ingestion"} <= set(stations)


def test_more_entities_than_are_followed_are_named(traced: Any, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    record(world)
    world.lineage.page = 1
    monkeypatch.setattr("cli.lineage.records.PAGES", 2)
    _, told = traced("1", "--up")
    assert any("and there are more" in sentence for sentence in told["missing"])


def test_tree_tells_each_station_in_full_once(baton: Any, world: World) -> None:
    capture(world, "req-7", "2026-11-23T09:20:00Z")
    record(world)
    output = baton("trace", "req-7").output
    assert "made from" in output
    assert output.count("author Ada") == 1
    assert "(above)" in output


def test_picture_has_a_box_for_every_station(traced: Any, world: World, tmp_path: Path) -> None:
    record(world)
    _, told = traced("req-7", "--picture", str(tmp_path / "trace.svg"))
    svg = ET.parse(tmp_path / "trace.svg").getroot()
    boxes = svg.findall("{http://www.w3.org/2000/svg}rect")
    assert len(boxes) == len(told["stations"])
    assert len({(box.get("x"), box.get("y")) for box in boxes}) == len(boxes), "two boxes lie on each other"
    assert len({box.get("x") for box in boxes}) >= 6, "the ways from left to right"
    assert len(svg.findall("{http://www.w3.org/2000/svg}path")) == len(told["links"])


def linked(*links: tuple[str, str]) -> Trace:
    keys = dict.fromkeys(end for link in links for end in link)
    stations = tuple(Station(kind="k", name=key, facts={}, key=key) for key in keys)
    return Trace(subject=stations[0].key, stations=stations, links=links, missing=())


def test_records_that_lead_in_a_circle_are_not_drawn() -> None:
    with pytest.raises(BatonError, match="the records lead in a circle"):
        draw(linked(("a", "b"), ("b", "a")))


def test_long_way_leads_around_the_stations_between() -> None:
    drawn = ET.fromstring(draw(linked(("a", "b"), ("b", "c"), ("a", "c"))))
    svg = "{http://www.w3.org/2000/svg}"
    [between] = [box for box in drawn.findall(f"{svg}rect") if box.findtext(f"{svg}title") == "b"]
    long_way = drawn.findall(f"{svg}path")[-1].get("d", "")
    height = float(long_way.split(" H")[0].rsplit(",", 1)[1])
    top = float(between.get("y", ""))
    assert not top <= height <= top + float(between.get("height", ""))


def test_same_data_at_two_places_is_named(traced: Any, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "canned.metadata", lambda number: {**METADATA(number), "dataset_uri": f"s3://curated/r{number}/"}
    )
    _, told = traced("f00d" * 16)
    assert told["subject"] == "s3://curated/r2"
    assert told["missing"][0] == "data of this hash was published elsewhere too: trace s3://curated/r1"


def test_ledger_is_asked_once_the_endpoint_has_moved_on(traced: Any, world: World) -> None:
    world.endpoint_changed = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    stations, _ = traced("req-7")
    assert stations["endpoint config"]["name"] == "config-1"
    assert stations["package version"]["name"] == "bank-churn version 1"


def test_prediction_from_before_anything_was_proven_to_serve(baton: Any, world: World) -> None:
    capture(world, "req-7", "2026-11-23T07:00:00Z")
    world.endpoint_changed = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    assert "the ledger names no version that was proven to serve before it" in spoken(baton("trace", "req-7"))


def test_changed_dataset_is_named(traced: Any, world: World) -> None:
    manifest(world, "beef" * 16)
    stations, _ = traced("req-7")
    assert stations["dataset"]["facts"]["check"].startswith("the manifest now says beef")


def test_unknown_prediction(baton: Any, world: World) -> None:
    capture(world, "req-7", "2026-11-23T09:20:00Z")
    assert "no prediction 'req-8' was captured in the last 24 h" in spoken(baton("trace", "req-8"))


def test_looks_that_mislead_are_overruled(traced: Any, world: World) -> None:
    capture(world, "12345", "2026-11-23T09:20:00Z")
    _, told = traced("12345", "--kind", "prediction")
    assert told["stations"][0]["name"] == "12345"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("0123abc", "nor SageMaker Lineage knows a code 0123abc; if it is something else, say so with --kind"),
        ("s3://curated/elsewhere", "nor SageMaker Lineage knows a dataset s3://curated/elsewhere"),
        ("beef" * 16, "no version of bank_churn was trained on a data set whose hash is beef"),
        ("77", "bank_churn has no version 77"),
    ],
)
def test_subjects_that_nobody_knows(baton: Any, world: World, asked: str, sentence: str) -> None:
    assert sentence in spoken(baton("trace", asked))


def test_calls_are_bounded(traced: Any, world: World, connection: CannedConnection) -> None:
    record(world)
    traced("req-7")
    asked = [name for _, name, _ in connection.calls]
    assert len(asked) <= 40, sorted(asked)
    described = [call["ArtifactArn"] for _, name, call in connection.calls if name == "sagemaker.DescribeArtifact"]
    assert len(described) == len(set(described)), "nothing is described twice"
