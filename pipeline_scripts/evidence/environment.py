"""Which libraries made a version: the lock, each wheel that travelled along, and what the image holds."""

import hashlib
import platform
import zipfile
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from pipeline_scripts.analysis.hashing import file_sha256

LOCK = "requirements.lock"


def environment(wheels: Path | None) -> dict[str, Any]:
    """The environment of this job, which is that of the training: the same image, the same wheels.

    Args:
        wheels: The folder of the archives with the locked libraries that the jobs brought along.
    """
    lock = resources.files("pipeline_scripts").joinpath(LOCK).read_bytes()
    archives = sorted(wheels.glob("*.zip")) if wheels else []
    return {
        "python": platform.python_version(),
        "lock": {"sha256": hashlib.sha256(lock).hexdigest(), "text": lock.decode()},
        "archives": {path.name: file_sha256(path) for path in archives},
        "wheels": {name: sha256 for path in archives for name, sha256 in _wheels(path).items()},
        "installed": _installed(),
    }


def _wheels(archive: Path) -> dict[str, str]:
    with zipfile.ZipFile(archive) as content:
        names = sorted(name for name in content.namelist() if name.endswith(".whl"))
        return {name: hashlib.sha256(content.read(name)).hexdigest() for name in names}


def _installed() -> dict[str, str]:
    """Every project that Python finds, with its version: what comes first on the path is what is imported."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        found.setdefault(distribution.metadata["Name"], distribution.version)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))
