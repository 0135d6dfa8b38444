"""Whether a bundle tells of this version, and the objects it lists are still those it was made of."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline_scripts.functions.evidence_archive import Archive, Version
from pipeline_scripts.functions.evidence_objects import Objects, Refused, as_json
from pipeline_scripts.functions.evidence_signature import check_signature

BUNDLE = "evidence/bundle.json"
SIGNATURE = "evidence/signature.json"

NEEDED = (
    "data_quality/statistics.json",
    "data_quality/constraints.json",
    "model_quality/constraints.json",
    "bias/analysis.json",
    "explainability/analysis.json",
    "gate/gate.json",
    "evaluation/evaluation.json",
)
"""What every bundle must list: what a monitor compares with, and what a reconciliation reads."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle that was checked. `sha256` is that of its bytes."""

    sha256: str
    evidence_uri: str
    files: Mapping[str, str]

    def json(self, evidence: Objects, name: str) -> dict[str, Any]:
        """One of the files it lists, compared with its hash once more as it is read.

        Raises:
            Refused: It is not what the bundle lists, or no JSON.
        """
        uri = f"{self.evidence_uri}/{name}"
        content = evidence.read(uri)
        if hashlib.sha256(content).hexdigest() != self.files[name]:
            raise Refused(f"{uri} is not the file that the bundle lists")
        return as_json(content, where=uri)


def read_bundle(version: Version, *, evidence: Objects) -> tuple[str, dict[str, Any]]:
    """The hash of a version's bundle, and what it says.

    Raises:
        Refused: There is none.
    """
    uri = f"{version.evidence_uri}/{BUNDLE}"
    content = evidence.read(uri)
    return hashlib.sha256(content).hexdigest(), as_json(content, where=uri)


def read_signed_bundle(version: Version, *, registered: str, archive: Archive) -> dict[str, Any]:
    """What the bundle says that was registered with a version, and that the key vouches for.

    Raises:
        Refused: There is none, it is another than the one with the hash `registered`, or nobody signed it.
    """
    if not registered:
        raise Refused("no signed evidence was registered with it; reject it and train again")
    sha256, content = read_bundle(version, evidence=archive.evidence)
    if sha256 != registered:
        raise Refused(f"its bundle of evidence has the hash {sha256[:12]}, but {registered[:12]} was registered")
    signature = archive.evidence.read(f"{version.evidence_uri}/{SIGNATURE}")
    check_signature(signature, kms=archive.kms, key_arn=archive.key_arn, digest=registered)
    return content


def check_bundle(sha256: str, content: Mapping[str, Any], *, version: Version, archive: Archive) -> Bundle:
    """Compare a bundle with the version, and every hash in it with its object.

    Raises:
        Refused: It is another version's, lists too little, an object has changed, or the gate did not pass.
    """
    told = {
        "model": (content.get("model"), version.model),
        "execution": (content.get("execution"), version.execution),
        "commit": (content.get("commit"), version.commit),
        "dataset": (_part(content, "dataset").get("hash"), version.dataset_hash),
        "artefact": (_part(content, "artifact").get("sha256"), version.artifact_sha256),
        # Where the code comes from stands in the container's environment, so both are as good as the artefact.
        "image": (content.get("image"), version.image),
        "container environment": (content.get("container_environment"), version.container_environment),
    }
    for what, (found, expected) in told.items():
        if not expected or found != expected:
            raise Refused(f"its bundle of evidence is of another {what}: {found}, not {expected or 'none'}")
    files = _part(content, "files")
    missing = [name for name in NEEDED if name not in files]
    if missing:
        raise Refused(f"its bundle of evidence lists no {missing[0]}")
    artifact = archive.models.sha256(version.artifact_uri)
    if artifact != version.artifact_sha256:
        raise Refused(
            f"the model artefact has the hash {artifact[:12]}, but {version.artifact_sha256[:12]} was registered"
        )
    for name, expected in files.items():
        uri = f"{version.evidence_uri}/{name}"
        if archive.evidence.sha256(uri) != expected:
            raise Refused(f"{uri} is not the file that the bundle lists")
    bundle = Bundle(sha256=sha256, evidence_uri=version.evidence_uri, files=files)
    _check_gate(bundle.json(archive.evidence, "gate/gate.json"), expected_hash=artifact)
    return bundle


def _check_gate(gate: dict[str, Any], *, expected_hash: str) -> None:
    if gate.get("passed") != 1:
        raise Refused("its gate did not pass")
    if gate.get("artifact_sha256") != expected_hash:
        raise Refused("its gate judged another artefact")


def _part(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = content.get(name)
    if not isinstance(part, dict):
        raise Refused(f"its bundle of evidence says nothing of its {name}")
    return part
