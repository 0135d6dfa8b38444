"""What a training that was broken off goes on from: one file for what is being learnt, replaced as it grows.

SageMaker fills /opt/ml/checkpoints from S3 before a training job starts and sends every change of it there, so a job
whose spot machine is taken away finds on its next one what it left. Several trainings may share the folder, and a later
one may find it full. So the file is named after everything that decides what is learnt, and nobody goes on from
another's.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The place of one training's checkpoint; `path` is None for a job that keeps none."""

    path: Path | None

    def read(self) -> bytes | None:
        """What was learnt so far, or None at the beginning."""
        if self.path is None or not self.path.is_file():
            return None
        return self.path.read_bytes()

    def write(self, learnt: bytes) -> None:
        """Replace what lies there in one move, so that a job that is killed leaves the old file or the new one."""
        if self.path is None:
            return
        partial = self.path.with_suffix(".partial")
        partial.write_bytes(learnt)
        partial.replace(self.path)


def checkpoint_in(
    folder: Path, *, settings: Mapping[str, Any], arrays: Sequence[npt.NDArray[Any]], suffix: str
) -> Checkpoint:
    """The checkpoint of a training with these settings on these arrays.

    SageMaker makes `folder` for a job with a CheckpointConfig, and for no other.
    """
    if not folder.is_dir():
        return Checkpoint(path=None)
    digest = hashlib.sha256(json.dumps(dict(settings), sort_keys=True).encode())
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return Checkpoint(path=folder / f"{digest.hexdigest()}{suffix}")
