"""The /opt/ml of one job: a private folder that takes the place of the container's file system."""

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from embedded.compute.job import JobRefused

_ROOT = re.compile(r"(?<![\w.\-])/opt/ml(?![\w.\-])")


def clean_environment(*, scratch: Path, aws: Mapping[str, str]) -> dict[str, str]:
    """What any job's process sees: how to reach AWS, and nothing of the developer's own shell."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        **aws,
    }


class OptMl:
    """Maps the paths of a container to a folder of this machine.

    Args:
        workdir: The job's own folder.
    """

    def __init__(self, *, workdir: Path) -> None:
        self.base = workdir.absolute() / "ml"
        self.scratch = workdir.absolute() / "tmp"

    def prepare(self) -> None:
        """Make the folders, free of whatever a run that broke off left here."""
        self.remove()
        for folder in (self.base / "output", self.scratch):
            folder.mkdir(parents=True)

    def rewrite(self, text: str) -> str:
        """Replace the container's /opt/ml in a command, an argument or an environment value."""
        return _ROOT.sub(lambda _: str(self.base), text)

    def rewrite_all(self, value: Any) -> Any:
        """Replace /opt/ml in every string of a JSON-like value."""
        if isinstance(value, str):
            return self.rewrite(value)
        if isinstance(value, Mapping):
            return {key: self.rewrite_all(item) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [self.rewrite_all(item) for item in value]
        return value

    def folder(self, path: str) -> Path:
        """Make and return the folder that stands for a container path.

        Raises:
            JobRefused: The path lies outside /opt/ml, where SageMaker mounts nothing.
        """
        folder = Path(self.rewrite(path)).resolve()
        if not folder.is_relative_to(self.base.resolve()):
            raise JobRefused(f"ClientError: the local path {path!r} must start with /opt/ml/")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def command(self, words: Sequence[str]) -> list[str]:
        """The container's command for this machine; its Python is the one that runs this.

        Raises:
            JobRefused: There is no command: the image's own program cannot be run without the image.
        """
        if not words:
            raise JobRefused(
                "ClientError: ContainerEntrypoint is missing; embedded AWS has no image to take the program from"
            )
        program = sys.executable if words[0] in ("python", "python3") else words[0]
        return [program, *(self.rewrite(word) for word in words[1:])]

    def environment(self, *, aws: Mapping[str, str], job: Mapping[str, str]) -> dict[str, str]:
        """Everything the process sees."""
        return {
            **clean_environment(scratch=self.scratch, aws=aws),
            "SAGEMAKER_BASE_DIR": str(self.base),
            **{name: self.rewrite(value) for name, value in job.items()},
        }

    def text(self, name: str) -> str | None:
        """What the container wrote to output/<name>, without surrounding blanks; None if it wrote nothing."""
        path = self.base / "output" / name
        if not path.is_file():
            return None
        return path.read_text(encoding="utf-8", errors="replace").strip() or None

    def remove(self) -> None:
        """Free the space of a job that is over."""
        shutil.rmtree(self.base, ignore_errors=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
