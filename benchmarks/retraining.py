"""The same data set and commit, trained again and again: how many models are there in the end?"""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measurement import Measurement
from benchmarks.sample_training import train

RUNS, ROWS = 5, 10_000
COMMAND = "python -m benchmarks retraining"


def measure() -> Iterator[Measurement]:
    """Train in processes of their own, with other hash seeds and numbers of threads."""
    hashes = []
    with tempfile.TemporaryDirectory() as scratch:
        for run in range(RUNS):
            folder = Path(scratch) / f"run-{run}"
            train(folder, rows=ROWS, environment={"PYTHONHASHSEED": str(run), "OMP_NUM_THREADS": str(1 + run % 2)})
            hashes.append(_hash_of(folder / "model"))
    yield Measurement(
        name="distinct_model_hashes",
        value=len(set(hashes)),
        unit="hashes",
        command=COMMAND,
        detail={"runs": RUNS, "rows": ROWS, "hashes": sorted(set(hashes))},
    )


def _hash_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
