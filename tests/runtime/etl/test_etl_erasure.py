"""The right to erasure."""

import json
from dataclasses import replace

import pytest

from pipeline_scripts.etl.errors import EtlError
from tests.runtime.etl.bank import Crashing
from tests.runtime.etl.test_etl_run import ordinals
from tests.runtime.etl.workbench import NEWCOMERS, ROWS, Job

REQUEST, REPORT = "s3://vault/clients/erasures/e1.json", "s3://evidence/clients/erasures/e1.json"


def ask(job: Job, key: str) -> None:
    body = json.dumps({"key": key, "asked_by": "dpo"})
    job.clients.s3.put_object(Bucket="vault", Key=REQUEST.removeprefix("s3://vault/"), Body=body)


def vault_objects(job: Job) -> list[bytes]:
    """Every version of every object of the vault."""
    listed = job.clients.s3.list_object_versions(Bucket="vault").get("Versions", [])
    return [
        job.clients.s3.get_object(Bucket="vault", Key=item["Key"], VersionId=item["VersionId"])["Body"].read()
        for item in listed
    ]


@pytest.fixture
def versioned(job: Job) -> Job:
    for bucket in ("vault", "curated"):
        job.clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return job


def test_the_link_is_gone_for_good_and_the_versions_that_held_the_ordinal_are_listed(versioned: Job) -> None:
    job = versioned
    first = job.run()["run_id"]
    job.database.fill(ROWS[1:])  # the bank erases the customer, whose key is 103
    job.run()
    ask(job, "103")
    report = job.run(erasure="e1")
    assert report["ordinals"] == {"ID": 3}
    assert [(version["run_id"], version["rows"]) for version in report["held_in"]] == [(first, 1)]
    assert job.json(REPORT) == report
    assert '"103"' not in json.dumps(report)
    assert job.names("s3://vault/clients/erasures/") == []
    assert not any(b'"103"' in content for content in vault_objects(job))
    segments = job.json("s3://vault/clients/surrogates/ID/current.json")["segments"]
    present = {name.split("/")[3] for name in job.names("s3://vault/clients/surrogates/ID/") if "/" in name}
    assert present - {"current.json"} == set(segments)
    versions = job.clients.s3.list_object_versions(Bucket="vault", Prefix="clients/surrogates/")
    assert all(item["IsLatest"] for item in versions["Versions"])
    assert not versions.get("DeleteMarkers")


def test_nobody_gets_the_ordinal_again_and_the_others_keep_theirs(job: Job) -> None:
    job.run()
    ask(job, "103")
    job.run(erasure="e1")
    job.database.fill([*ROWS, *NEWCOMERS])
    job.run()
    assert ordinals(job) == {700: 1, 845: 2, None: 4, 1: 5, 612: 6, 2: 7}


def test_a_person_nobody_knows_is_reported_as_such(job: Job) -> None:
    job.run()
    ask(job, "77")
    assert job.run(erasure="e1")["ordinals"] == {}


def test_an_erasure_that_nobody_asked_for_is_refused(job: Job) -> None:
    with pytest.raises(EtlError, match=r"erasures/e1.json: there is no such request"):
        job.run(erasure="e1")


def test_an_erasure_that_dies_at_any_change_is_finished_by_the_next(job: Job) -> None:
    job.run()
    ask(job, "103")
    change, died = 1, True
    while died:
        crashing = Crashing(job.clients.s3, at=change)
        try:
            report = job.run(erasure="e1", clients=replace(job.clients, s3=crashing))
            died = False
        except ConnectionError:
            change += 1
    assert change > 4
    assert report["ordinals"] == {"ID": 3}
    assert len(report["held_in"]) == 1
