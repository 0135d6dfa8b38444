"""Exact attributions of a million rows: what ours cost beside XGBoost's own call on the same matrix."""

import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import xgboost

from benchmarks.measurement import Measurement
from benchmarks.sample_training import train
from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.analysis.attribution import attributions
from pipeline_scripts.serving.estimator import Trees
from tests.runtime.churn import customers, pack

ROWS, TRAINED_ON = 1_000_000, 10_000
COMMAND = "python -m benchmarks attributions"


def measure() -> Iterator[Measurement]:
    """Train the sample model, then attribute its answers to a million rows, both ways."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        train(folder, rows=TRAINED_ON)
        pack(folder)
        artifact, rows = load_artifact(folder / "artefact"), customers(ROWS, seed=11)
    assert isinstance(artifact.estimator, Trees)
    started = time.perf_counter()
    matrix = xgboost.DMatrix(
        artifact.transformer.encode(rows), feature_names=list(artifact.transformer.columns), nthread=1
    )
    artifact.estimator.booster.predict(matrix, pred_contribs=True)
    theirs = time.perf_counter() - started
    started = time.perf_counter()
    attributions(artifact, rows)
    ours = time.perf_counter() - started
    yield Measurement(
        name="shap_million_rows_ratio",
        value=ours / theirs,
        unit="of XGBoost's own",
        command=COMMAND,
        detail={
            "rows": ROWS,
            "trees": artifact.estimator.booster.num_boosted_rounds(),
            "ours_seconds": ours,
            "xgboost_seconds": theirs,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        },
    )
