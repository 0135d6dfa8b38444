"""The bundle of one version: what was trained, from what, by whom, how well, and the hash of every file that says so.

A hash of the bundle therefore stands for all of the evidence. It is written canonically, so equal content is equal
bytes.
"""

import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline_scripts.analysis.hashing import file_sha256
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.analysis.json_files import plain, read_json
from pipeline_scripts.evidence.environment import environment

FORMAT = "baton-evidence-1"

OWN_FOLDER = "evidence"
"""Where page, bundle and signature lie, below the execution's prefix. The bundle cannot list itself."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who trained from what: what the pipeline knows of its execution and no file of it tells."""

    model: str
    execution: str
    commit: str
    author: str
    reason: str
    image: str
    container_environment: str
    evidence_uri: str
    dataset_uri: str
    dataset_hash: str


def make_bundle(
    *, origin: Origin, manifest: Mapping[str, Any], evidence: Path, archive: Path, wheels: Path | None
) -> dict[str, Any]:
    """Put the bundle together.

    Args:
        origin: What the pipeline says of itself.
        manifest: The dataset's, with its quality results and its personal-data check.
        evidence: The folder of the execution's evidence, with a folder for each analysis.
        archive: The model artefact.
        wheels: The folder of the archives with the locked libraries that the jobs brought along.

    Raises:
        JobError: The manifest is of another dataset, the gate did not pass, or it judged another artefact.
    """
    if manifest.get("dataset_hash") != origin.dataset_hash:
        raise JobError(
            f"the manifest at {origin.dataset_uri} is of the dataset {manifest.get('dataset_hash')}, but the training "
            f"was started for {origin.dataset_hash}; start it again on the current dataset"
        )
    artifact = {"sha256": file_sha256(archive), "members": members(archive)}
    gate = read_json(evidence / "gate" / "gate.json")
    if gate["passed"] != 1 or gate["artifact_sha256"] != artifact["sha256"]:
        raise JobError(
            f"{evidence / 'gate' / 'gate.json'} does not pass this artefact, so there is nothing to vouch for"
        )
    evaluation = read_json(evidence / "evaluation" / "evaluation.json")
    return {
        "format": FORMAT,
        "model": origin.model,
        "execution": origin.execution,
        "commit": origin.commit,
        "author": origin.author,
        "reason": origin.reason,
        "image": origin.image,
        "container_environment": origin.container_environment,
        "evidence_uri": origin.evidence_uri,
        "environment": environment(wheels),
        "dataset": {"uri": origin.dataset_uri, "hash": origin.dataset_hash, "manifest": dict(manifest)},
        "artifact": artifact,
        "gate": gate,
        "metrics": {name: value for name, value in evaluation.items() if isinstance(value, int | float)},
        "files": _files(evidence),
    }


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one spelling of a JSON object: keys in order, no blanks, UTF-8."""
    text = json.dumps(plain(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _files(evidence: Path) -> dict[str, str]:
    """The hash of every file by its path below the execution's prefix."""
    found = {path.relative_to(evidence).as_posix(): path for path in sorted(evidence.rglob("*")) if path.is_file()}
    return {name: file_sha256(path) for name, path in found.items() if PurePosixPath(name).parts[0] != OWN_FOLDER}


def own_files(folder: Path, *names: str) -> dict[str, str]:
    """The hash of what was made from a bundle and lies beside it, by its path below the execution's prefix."""
    return {f"{OWN_FOLDER}/{name}": file_sha256(folder / name) for name in names}


def members(archive: Path) -> dict[str, str]:
    """The hash of every file in the archive, by its path there."""
    with tarfile.open(archive, "r:gz") as content:
        return {
            str(PurePosixPath(member.name)): hashlib.sha256(content.extractfile(member).read()).hexdigest()  # type: ignore[union-attr]  # a file
            for member in content
            if member.isfile()
        }
