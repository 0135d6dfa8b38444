"""Rows of a small bank, and the steps of the training pipeline over them: shared by the tests of the runtime."""

import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline_scripts.model import Model, parse_model
from pipeline_scripts.training import baseline, bias, compare, evaluate, explain, gate, preprocess, train


def customers(rows: int, *, seed: int = 7, first: int = 1) -> pd.DataFrame:
    """Curated rows of the model `bank_churn`, whose label follows from the features, with some noise."""
    draw = np.random.default_rng(seed)
    ages = draw.choice(
        ["18-29", "30-39", "40-49", "50-59", "60-69", "70+"], rows, p=[0.15, 0.3, 0.27, 0.15, 0.09, 0.04]
    )
    frame = pd.DataFrame(
        {
            "customer_ref": np.arange(first, first + rows),
            "account_hash": [hashlib.sha256(f"{seed}:{row}".encode()).hexdigest() for row in range(rows)],
            "age_group": ages,
            "gender": draw.choice(["Female", "Male"], rows, p=[0.46, 0.54]),
            "country": draw.choice(["France", "Germany", "Spain"], rows, p=[0.5, 0.25, 0.25]),
            "credit_score": draw.normal(650, 95, rows).clip(350, 850).astype(int),
            "tenure_years": draw.integers(0, 11, rows),
            "balance": np.where(draw.random(rows) < 0.36, 0.0, draw.normal(120_000, 30_000, rows).clip(1_000).round(2)),
            "products": draw.choice([1, 2, 3, 4], rows, p=[0.5, 0.46, 0.03, 0.01]),
            "has_credit_card": (draw.random(rows) < 0.7).astype(int),
            "is_active": (draw.random(rows) < 0.52).astype(int),
            "estimated_salary": draw.uniform(100, 200_000, rows).round(2),
        }
    )
    frame["churned"] = churns(frame, draw).astype(int)
    return frame


def churns(frame: pd.DataFrame, draw: np.random.Generator) -> "pd.Series[bool]":
    older = frame["age_group"].map(
        {"18-29": -1.2, "30-39": -0.7, "40-49": 0.4, "50-59": 1.6, "60-69": -0.6, "70+": -0.5}
    )
    logit = -1.6 + 1.3 * older + 0.9 * (frame["country"] == "Germany") - 1.0 * frame["is_active"]
    logit += 0.7 * (frame["products"] == 1) + 2.5 * (frame["products"] >= 3) + 0.5 * (frame["gender"] == "Female")
    return pd.Series(draw.random(len(frame)) < 1 / (1 + np.exp(-logit)), index=frame.index)


def write_dataset(folder: Path, frame: pd.DataFrame) -> None:
    """A curated run as the ETL job leaves it, in two files."""
    folder.mkdir(parents=True)
    half = len(frame) // 2
    files = []
    for number, part in enumerate([frame.iloc[:half], frame.iloc[half:]]):
        path = folder / f"part-{number}.parquet"
        part.to_parquet(path, index=False)
        files.append({"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    (folder / "_manifest.json").write_text(json.dumps({"files": files}), encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The folders of one run of the pipeline's steps."""

    root: Path
    model: Model

    @property
    def evidence(self) -> Path:
        return self.root / "evidence"

    @property
    def artefact(self) -> Path:
        return self.root / "artefact"

    @property
    def unpacked(self) -> Path:
        return self.root / "model"

    def holdout(self) -> pd.DataFrame:
        return pd.read_parquet(self.root / "holdout" / "holdout.parquet")


def split_arguments(root: Path) -> list[str]:
    data = root / "input" / "data"
    sides = {
        "train": data,
        "validation": data,
        "transformer": data,
        "holdout": root,
        "baseline": root,
        "analysis": root,
    }
    outputs = [text for name, parent in sides.items() for text in (f"--{name}", str(parent / name))]
    return ["--dataset", str(root / "dataset"), *outputs]


FACTS = {
    "BATON_CHAMPION_VERSION": "0",
    "BATON_CHAMPION_SHA256": "none",
    "BATON_STARTED_AT": "2026-03-01T09:30:00.000+00:00",
    "BATON_COMMIT_AUTHOR": "ada@bank.example",
}
"""What the pipeline tells its steps of the first version of a model."""


def gate_arguments(root: Path, output: Path) -> list[str]:
    names = ("evaluation", "bias", "explainability", "data-quality", "model-quality", "comparison")
    folders = {name: root / "evidence" / name.replace("-", "_") for name in names}
    folders |= {"model": root / "artefact", "output": output}
    return [text for name, folder in folders.items() for text in (f"--{name}", str(folder))]


def pack(root: Path) -> None:
    (root / "artefact").mkdir(exist_ok=True)
    with tarfile.open(root / "artefact" / "model.tar.gz", "w:gz") as archive:
        archive.add(root / "model", ".")


def run_steps(root: Path) -> None:
    """Every step of the training pipeline, as SageMaker would start it."""
    model, holdout, evidence = str(root / "artefact"), str(root / "holdout"), root / "evidence"
    assert preprocess.main(split_arguments(root)) == 0
    assert train.main([]) == 0
    pack(root)
    assert baseline.main(["--baseline", str(root / "baseline"), "--output", str(evidence / "data_quality")]) == 0
    looked = ["--model", model, "--holdout", holdout, "--output"]
    quality = ["--model-quality", str(evidence / "model_quality")]
    assert evaluate.main([*looked, str(evidence / "evaluation"), *quality]) == 0
    assert bias.main([*looked, str(evidence / "bias"), "--train", str(root / "input" / "data" / "train")]) == 0
    assert explain.main([*looked, str(evidence / "explainability")]) == 0
    assert compare.main([*looked, str(evidence / "comparison"), "--champion", model]) == 0
    assert gate.main(gate_arguments(root, evidence / "gate")) == 0


def train_on(
    root: Path, specification: dict[str, Any], *, rows: int = 3_000, curated: pd.DataFrame | None = None
) -> Trained:
    """Run every step below `root`, for the model that a specification describes, on so many customers or other rows."""
    (root / "model-spec.json").write_text(json.dumps(specification), encoding="utf-8")
    write_dataset(root / "dataset", customers(rows) if curated is None else curated)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BATON_MODEL_JSON", str(root / "model-spec.json"))
        patch.setenv("SAGEMAKER_BASE_DIR", str(root))
        for name, value in FACTS.items():
            patch.setenv(name, value)
        run_steps(root)
    return Trained(root=root, model=parse_model(specification))
