"""The files of a model artefact, by their hashes."""

import hashlib
import io
import tarfile
from pathlib import PurePosixPath


def file_sha256s(archive: bytes) -> dict[str, str]:
    """The SHA-256 of every file in a tar.gz by its path there, as the bundle of evidence lists them.

    The archive's own hash also depends on when it was packed.
    """
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as content:
        for member in content:
            file = content.extractfile(member)
            if file is not None:
                found[str(PurePosixPath(member.name))] = hashlib.sha256(file.read()).hexdigest()
    return found
