"""The model artefact: opened without trusting it, and checked for what may not be in it."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline_scripts.analysis.hashing import file_sha256
from pipeline_scripts.analysis.holdout import HoldOut
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.serving.calibration import Calibration
from pipeline_scripts.serving.estimator import Estimator, read_estimator
from pipeline_scripts.serving.signature import Signature
from pipeline_scripts.serving.transformer import Transformer

LARGEST_BYTES = 512 * 1024 * 1024  # unpacked; a boosted-tree model of this size is a mistake or an attack
_KINDS = (".json", ".py")
_NEEDED = ("model.json", "calibration.json", "transformer.json", "signature.json", "holdout.json", "code/inference.py")


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """What a version learnt, with its calibration, transformer, signature and hold-out, as its archive holds them."""

    estimator: Estimator
    calibration: Calibration
    transformer: Transformer
    signature: Signature
    holdout: HoldOut
    sha256: str

    def answers(self, frame: pd.DataFrame) -> npt.NDArray[np.float32]:
        """The probability of the positive outcome, or the expected number, of every row of raw values."""
        return self.calibration.apply(self.estimator.answers(self.transformer.encode(frame)))


def find_archive(folder: Path) -> Path:
    """The one model.tar.gz under a folder.

    Raises:
        JobError: There is none, or more than one.
    """
    archives = sorted(folder.rglob("model.tar.gz"))
    if len(archives) != 1:
        raise JobError(f"{folder} must hold one model.tar.gz, found {len(archives)}")
    return archives[0]


def unsafe_members(archive: Path) -> list[str]:
    """What in the archive may not be there, a sentence each; none when it is safe to open and to serve.

    Only plain JSON and Python source files in relative paths may: no links, no way out of the folder, no pickle.
    """
    problems, total, names = [], 0, set()
    try:
        with tarfile.open(archive, "r:gz") as content:
            for member in content:
                path = PurePosixPath(member.name)
                total += member.size
                names.add(str(path))
                if path.is_absolute() or ".." in path.parts:
                    problems.append(f"{member.name} leads out of the artefact")
                elif not (member.isfile() or member.isdir()):
                    problems.append(f"{member.name} is a link or a device")
                elif member.isfile() and path.suffix not in _KINDS:
                    problems.append(f"{member.name} is neither JSON nor Python source")
                if total > LARGEST_BYTES:
                    problems.append(f"the artefact unpacks to more than {LARGEST_BYTES // 1024**2} MiB")
                    break
    except (tarfile.TarError, EOFError, OSError) as error:
        problems.append(f"the artefact is not a readable tar.gz: {error}")
    problems += [f"{name} is missing" for name in _NEEDED if not problems and name not in names]
    return problems


def load_artifact(folder: Path) -> Artifact:
    """Read the model out of the archive, in memory: nothing of it is unpacked or executed.

    Raises:
        JobError: The archive is not there, or holds what it may not.
    """
    archive = find_archive(folder)
    problems = unsafe_members(archive)
    if problems:
        raise JobError(f"{archive.name} is refused: {problems[0]}")
    with tarfile.open(archive, "r:gz") as content:
        files = {str(PurePosixPath(member.name)): member for member in content if member.isfile()}
        parts = {name: content.extractfile(files[name]).read() for name in _NEEDED}  # type: ignore[union-attr]  # a file
    signature = Signature.from_json(json.loads(parts["signature.json"]))
    return Artifact(
        estimator=read_estimator(signature.algorithm, parts["model.json"]),
        calibration=Calibration.from_json(json.loads(parts["calibration.json"])),
        transformer=Transformer.from_json(json.loads(parts["transformer.json"])),
        signature=signature,
        holdout=HoldOut.from_json(json.loads(parts["holdout.json"])),
        sha256=file_sha256(archive),
    )
