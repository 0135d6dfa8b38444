"""The last step before a version is registered: vouches for its bundle, after comparing all of it with the objects.

It takes the pipeline's word, not the bundle's, for which version this is: a job's script writes the bundle.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

from pipeline_scripts.functions import lineage_words as words
from pipeline_scripts.functions.events import S3_URI, SHA256, TEXT, objects, takes
from pipeline_scripts.functions.evidence_archive import Archive, Version, open_archive
from pipeline_scripts.functions.evidence_bundle import SIGNATURE, check_bundle, read_bundle
from pipeline_scripts.functions.evidence_signature import sign
from pipeline_scripts.functions.lineage import Lineage, Link, action, artifact, open_lineage

logger = Logger(service="sign_evidence")


EVENT_SCHEMA = objects(
    {
        "execution": TEXT,
        "commit": TEXT,
        "dataset_hash": TEXT,
        "evidence_uri": S3_URI,
        "artifact_uri": S3_URI,
        "artifact_sha256": SHA256,
        "image": TEXT,
        "container_environment": TEXT,
    }
)


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Sign the bundle of the version that `event` tells of; the step's output is the bundle's hash."""
    answer = sign_evidence(event, archive=open_archive(), lineage=open_lineage())
    logger.info("signed", extra=answer)
    return answer


def sign_evidence(event: dict[str, Any], *, archive: Archive, lineage: Lineage) -> dict[str, str]:
    """Check the bundle, sign its hash, leave the signature beside it, and tell lineage what the version is made from.

    Raises:
        Refused: The bundle is another version's, or an object is not what it lists.
        KeyError: The event lacks something; the pipeline's definition gives it.
    """
    version = archive.version(event)
    sha256, content = read_bundle(version, evidence=archive.evidence)
    bundle = check_bundle(sha256, content, version=version, archive=archive)
    signature = sign(archive.kms, key_arn=archive.key_arn, digest=bundle.sha256)
    archive.evidence.write(f"{version.evidence_uri}/{SIGNATURE}", signature)
    lineage.tell(_links(version, content, bundle_sha256=bundle.sha256))
    return {"bundle_sha256": bundle.sha256}


def _links(version: Version, content: Mapping[str, Any], *, bundle_sha256: str) -> list[Link]:
    """What the execution was given and what it made; author and address of the data set are the bundle's word."""
    execution = action(words.EXECUTION, version.execution, name=version.execution)
    author, dataset_uri = str(content.get("author", "")), str(content["dataset"].get("uri", ""))
    commit = artifact(words.COMMIT, words.commit_address(version.commit), name=version.commit, author=author)
    bundle = artifact(
        words.EVIDENCE, words.evidence_address(version.evidence_uri), name=version.evidence_uri, sha256=bundle_sha256
    )
    model = artifact("Model", version.artifact_uri, sha256=version.artifact_sha256)
    # Of a version that nobody has decided about, the artefact alone leads to the evidence that vouches for it.
    links = [(commit, execution), (execution, bundle), (execution, model), (bundle, model)]
    if dataset_uri:
        dataset = artifact(words.DATASET, words.dataset_address(dataset_uri), name=version.dataset_hash)
        links.append((dataset, execution))
    return links
