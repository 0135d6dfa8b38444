"""A model's archive: packed to the same bytes each time, unpacked without trust in what it holds."""

import gzip
import shutil
import tarfile
from pathlib import Path


def pack(*, folder: Path, archive: Path) -> None:
    """Write a folder as tar.gz. The same files give the same bytes: no clock, no user, no order of the disk."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for path in sorted(folder.rglob("*"), key=lambda entry: entry.relative_to(folder).as_posix()):
            tar.add(path, arcname=path.relative_to(folder).as_posix(), recursive=False, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = 0
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() else 0o644
    return entry


def unpack(*, archive: Path, folder: Path) -> None:
    """Extract a tar.gz.

    Raises:
        tarfile.TarError: It is no archive, or an entry would leave the folder.
        OSError: It is not compressed as it should be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    with tarfile.open(archive, mode="r:gz") as tar:
        for entry in tar:
            # Not extractall's own filter: Python has it only since 3.11.4.
            place = (root / entry.name).resolve()
            if not place.is_relative_to(root) or not (entry.isdir() or entry.isfile()):
                raise tarfile.TarError(f"{archive.name}: {entry.name} is a link, a device or outside the folder")
            if entry.isdir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            with tar.extractfile(entry) as content, place.open("wb") as copy:  # type: ignore[union-attr]  # a file
                shutil.copyfileobj(content, copy)
