"""Training is reproducible, and what it leaves is a safe artefact that every later step reads alike."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline_scripts.analysis.artifact import load_artifact, unsafe_members
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model
from pipeline_scripts.serving.transformer import Transformer
from pipeline_scripts.training import train
from pipeline_scripts.training.fitting import fit_transformer
from pipeline_scripts.training.train import hyperparameters
from tests.runtime.churn import Trained, customers


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def retrain(trained: Trained, job: Path) -> Path:
    shutil.copytree(trained.root / "input", job / "input")
    assert train.main([]) == 0
    return job / "model"


def test_two_trainings_leave_the_same_bytes(trained: Trained, job: Path) -> None:
    assert bytes_of(retrain(trained, job)) == bytes_of(trained.unpacked)


def test_thread_count_of_the_machine_does_not_matter(
    trained: Trained, job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert bytes_of(retrain(trained, job)) == bytes_of(trained.unpacked)


def test_another_seed_leaves_another_model(trained: Trained, job: Path) -> None:
    config = job / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({"seed": "5"}))
    shutil.copytree(trained.root / "input" / "data", job / "input" / "data")
    assert train.main([]) == 0
    assert bytes_of(job / "model")["model.json"] != bytes_of(trained.unpacked)["model.json"]


def test_hyperparameters_come_as_text_and_override_the_models(tmp_path: Path, model: Model) -> None:
    given = tmp_path / "hyperparameters.json"
    given.write_text(json.dumps({"num_round": "12", "eta": "0.3", "sagemaker_program": "x", "booster": "gbtree"}))
    chosen = hyperparameters(given, model)
    assert (chosen["num_round"], chosen["eta"], chosen["booster"]) == (12, 0.3, "gbtree")
    assert chosen["max_depth"] == model.settings["training"]["hyperparameters"]["max_depth"]
    assert "sagemaker_program" not in chosen


def test_refused_hyperparameters_are_the_reason_of_failure(trained: Trained, job: Path) -> None:
    config = job / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({"max_depth": "-3"}))
    shutil.copytree(trained.root / "input" / "data", job / "input" / "data")
    assert train.main([]) == 1
    assert "XGBoost refuses the hyperparameters" in (job / "output" / "failure").read_text()


def test_success_leaves_no_failure(trained: Trained) -> None:
    assert not (trained.root / "output" / "failure").exists()


def test_artefact_holds_json_and_source_only(trained: Trained) -> None:
    assert unsafe_members(trained.artefact / "model.tar.gz") == []
    names = set(bytes_of(trained.unpacked))
    assert {"model.json", "transformer.json", "signature.json", "code/inference.py"} <= names
    assert {Path(name).suffix for name in names} == {".json", ".py"}


def test_artefact_and_folder_hold_the_same_model(trained: Trained) -> None:
    artifact = load_artifact(trained.artefact)
    stored = Transformer.from_json(json.loads((trained.unpacked / "transformer.json").read_text()))
    assert artifact.transformer == stored


def test_transformer_survives_json(model: Model) -> None:
    transformer = fit_transformer(customers(300), model)
    assert Transformer.from_json(json.loads(json.dumps(transformer.to_json()))) == transformer


def encoded(model: Model, **values: Any) -> dict[str, float]:
    """One row with these values and otherwise none, encoded after a fit on the sample."""
    transformer = fit_transformer(customers(600), model)
    row = transformer.encode({name: [values.get(name)] for name in model.features})
    return dict(zip(transformer.columns, row[0].tolist(), strict=True))


def test_bands_keep_their_order(model: Model) -> None:
    places = [encoded(model, age_group=band)["age_group"] for band in ("<18", "18-29", "30-39", "60-69", "70+")]
    assert places == [0, 1, 2, 5, 6]


def test_unknown_category_belongs_to_none(model: Model) -> None:
    countries = [value for name, value in encoded(model, country="Narnia").items() if name.startswith("country=")]
    assert countries == [0, 0, 0]
    assert encoded(model, country="Spain")["country=Spain"] == 1


def test_missing_number_and_unknown_band_become_the_median_of_training(model: Model) -> None:
    median = customers(600)["credit_score"].median()
    assert encoded(model)["credit_score"] == pytest.approx(median)
    assert encoded(model, age_group="elder")["age_group"] == encoded(model)["age_group"]


def test_fails_when_a_feature_is_empty(model: Model) -> None:
    with pytest.raises(JobError, match="'balance' is empty"):
        fit_transformer(customers(50).assign(balance=np.nan), model)


def test_fails_when_a_band_is_not_the_models(model: Model) -> None:
    with pytest.raises(JobError, match="'age_group' holds '31', which is none of its bands"):
        fit_transformer(customers(50).assign(age_group="31"), model)


def test_missing_values_are_encoded_alike_from_a_frame_and_from_a_request(trained: Trained, model: Model) -> None:
    transformer = load_artifact(trained.artefact).transformer
    frame = trained.holdout().head(20).copy()
    for place, name in enumerate(model.features):
        frame.loc[place, name] = None
    request = {name: [None if pd.isna(value) else value for value in frame[name]] for name in model.features}
    assert np.array_equal(transformer.encode(frame), transformer.encode(request))
