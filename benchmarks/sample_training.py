"""The sample model, split and trained by the pipeline's own scripts in processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measurement import ROOT
from stacks.settings import load_models
from tests.runtime.churn import customers, split_arguments, write_dataset


def train(folder: Path, *, rows: int, environment: Mapping[str, str] | None = None) -> None:
    """Leave the artefact's files in `folder/model`, learnt from seeded customers."""
    [model] = load_models([ROOT / "config" / "models" / "bank_churn.yaml"], [])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "specification.json").write_text(json.dumps(model.model_dump(mode="json")), encoding="utf-8")
    write_dataset(folder / "dataset", customers(rows))
    given = {
        **os.environ,
        "BATON_MODEL_JSON": str(folder / "specification.json"),
        "SAGEMAKER_BASE_DIR": str(folder),
        **(environment or {}),
    }
    for step in (["training.preprocess", *split_arguments(folder)], ["training.train"]):
        command = [sys.executable, "-m", "pipeline_scripts", *step]
        subprocess.run(command, cwd=ROOT, env=given, check=True, capture_output=True)
