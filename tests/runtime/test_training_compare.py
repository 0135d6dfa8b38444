"""A challenger is registered only when it is surely not much worse than the champion, on the same hold-out."""

import dataclasses
import io
import json
import tarfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pipeline_scripts.analysis import comparison as metrics
from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.analysis.comparison import AUC
from pipeline_scripts.analysis.frames import labels, read_frames
from pipeline_scripts.analysis.hashing import file_sha256
from pipeline_scripts.model import Model
from pipeline_scripts.training.compare import comparison
from pipeline_scripts.training.gate import Check, _champion
from tests.runtime.churn import Trained

compare = partial(metrics.compare, measure=AUC)


def compared(trained: Trained, champion: Path, **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "challenger": load_artifact(trained.artefact),
        "champion": champion,
        "number": "3",
        "registered_sha256": file_sha256(champion / "model.tar.gz"),
        "holdout": read_frames(trained.root / "holdout"),
        "model": trained.model,
    }
    return comparison(**{**told, **changes})


def rewritten(trained: Trained, folder: Path, **members: Any) -> Path:
    """The artefact with other content in some of its JSON files, or without them."""
    folder.mkdir()
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        for path in sorted(path for path in trained.unpacked.rglob("*") if path.is_file()):
            name = path.relative_to(trained.unpacked).as_posix()
            change = members.get(name.removesuffix(".json"))
            content = json.dumps(change(json.loads(path.read_text()))).encode() if change else path.read_bytes()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return folder


def check(found: dict[str, Any], model: Model, **champion: float) -> Check:
    gate = {**model.settings["gate"], "champion": {**model.settings["gate"]["champion"], **champion}}
    return _champion(found, dataclasses.replace(model, settings={**model.settings, "gate": gate}))


def test_the_first_version_has_no_champion_and_passes(trained: Trained) -> None:
    found = compared(trained, trained.artefact, number="0", registered_sha256="none")
    assert (found["champion"], found["comparable"]) == (None, False)
    judged = check(found, trained.model)
    assert (judged.passed, judged.reason) == (True, "no version was approved yet, so there is no champion")


def test_the_same_model_again_loses_nothing(trained: Trained) -> None:
    found = compared(trained, trained.artefact)
    assert (found["difference"], found["low"], found["high"]) == (0, 0, 0)
    assert check(found, trained.model, max_loss=0).passed


def test_both_values_are_those_of_scikit_learn_on_the_hold_out(trained: Trained, tmp_path: Path) -> None:
    def flatter(calibration: dict[str, Any]) -> dict[str, Any]:
        return {**calibration, "method": "none"} if "method" in calibration else calibration

    champion = rewritten(trained, tmp_path / "champion", calibration=flatter)
    found = compared(trained, champion)
    holdout = read_frames(trained.root / "holdout")
    truth = labels(holdout, trained.model)
    for name, folder in (("challenger", trained.artefact), ("champion_value", champion)):
        assert found[name] == pytest.approx(roc_auc_score(truth, load_artifact(folder).answers(holdout)))
    assert found["rows"] == len(holdout)


def test_another_artefact_than_the_registered_is_no_champion(trained: Trained) -> None:
    found = compared(trained, trained.artefact, registered_sha256="0" * 64)
    assert not found["comparable"]
    judged = check(found, trained.model)
    assert not judged.passed
    assert "the champion, version 3, cannot be compared: its artefact has the hash" in judged.reason


def test_a_champion_that_asks_for_a_column_we_no_longer_have_is_told(trained: Trained) -> None:
    holdout = read_frames(trained.root / "holdout").drop(columns="balance")
    found = compared(trained, trained.artefact, holdout=holdout)
    assert "it asks for balance, which is no longer among the model's inputs" in check(found, trained.model).reason


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seed": 1}, "its seed was 1, and not 20260101"),
        ({"fraction": 0.1}, "it held out 0.1 of the rows, and not 0.2"),
        ({"key": ["email_key"]}, "its rows were told apart by email_key, and not by customer_ref"),
    ],
)
def test_a_champion_that_may_have_learnt_from_the_hold_out_is_told(
    trained: Trained, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    champion = rewritten(trained, tmp_path / "champion", holdout=lambda holdout: {**holdout, **change})
    judged = check(compared(trained, champion), trained.model)
    assert not judged.passed
    assert f"it may have learnt from rows of this hold-out, for {why}" in judged.reason


def test_a_champion_that_held_out_more_is_compared(trained: Trained, tmp_path: Path) -> None:
    champion = rewritten(trained, tmp_path / "champion", holdout=lambda holdout: {**holdout, "fraction": 0.3})
    assert compared(trained, champion)["comparable"]


def test_a_champion_that_takes_a_column_otherwise_is_told(trained: Trained, tmp_path: Path) -> None:
    def as_text(signature: dict[str, Any]) -> dict[str, Any]:
        inputs = [{**item, "type": "string"} if item["name"] == "balance" else item for item in signature["inputs"]]
        return {**signature, "inputs": inputs}

    champion = rewritten(trained, tmp_path / "champion", signature=as_text)
    assert "it asks for balance as string, which is double now" in compared(trained, champion)["reason"]


def test_a_champion_of_other_bands_is_told(trained: Trained) -> None:
    holdout = read_frames(trained.root / "holdout").replace({"age_group": {"40-49": "40-44"}})
    reason = "it knows no band 40-44 of age_group, whose bands are others now"
    assert reason in compared(trained, trained.artefact, holdout=holdout)["reason"]


def test_a_champion_that_answers_another_question_is_told(trained: Trained) -> None:
    model = dataclasses.replace(trained.model, positive=0)
    assert "which is another question" in compared(trained, trained.artefact, model=model)["reason"]


def test_a_champion_of_other_code_is_told(trained: Trained, tmp_path: Path) -> None:
    champion = rewritten(trained, tmp_path / "old", signature=lambda signature: {"version": "0.1"})
    found = compared(trained, champion)
    assert "was written by other code and cannot be read" in found["reason"]


def scores(seed: int, noise: float, truth: "np.ndarray[Any, np.dtype[np.int8]]") -> Any:
    return truth + np.random.default_rng(seed).normal(0, noise, len(truth))


TRUTH = (np.random.default_rng(1).random(2_000) < 0.2).astype(np.int8)


@pytest.mark.parametrize(
    ("noise", "passed"), [(0.6, True), (0.7, True), (1.2, False)], ids=["better", "alike", "clearly worse"]
)
def test_who_is_clearly_worse_is_refused(trained: Trained, noise: float, passed: bool) -> None:
    found = compare(
        TRUTH, challenger=scores(2, noise, TRUTH), champion=scores(3, 0.7, TRUTH), max_loss=0.03, confidence=0.95
    )
    judged = check({"champion": 3, "comparable": True, "reason": "r", **found.to_json()}, trained.model, max_loss=0.03)
    assert judged.passed is passed
    assert ("no more" if passed else "more") + " than the 0.03 that it may lose" in judged.reason


@given(max_loss=st.floats(0, 0.2), confidence=st.floats(0.5, 0.99), seed=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_the_p_value_and_the_bound_say_the_same(max_loss: float, confidence: float, seed: int) -> None:
    rows = slice(seed * 200, (seed + 1) * 200)
    both = {"challenger": scores(2, 0.8, TRUTH)[rows], "champion": scores(3, 0.7, TRUTH)[rows]}
    found = compare(TRUTH[rows], **both, max_loss=max_loss, confidence=confidence)
    assert (found.p_value < 1 - confidence) == (found.low >= -max_loss)


def test_few_rows_prove_nothing_and_so_refuse(trained: Trained) -> None:
    rows = slice(0, 60)
    found = compare(
        TRUTH[rows],
        challenger=scores(2, 0.7, TRUTH)[rows],
        champion=scores(3, 0.7, TRUTH)[rows],
        max_loss=0.02,
        confidence=0.95,
    )
    content = {"champion": 3, "comparable": True, "reason": "r", **found.to_json()}
    assert not check(content, trained.model, max_loss=0.02).passed


def test_pairs_are_sharper_than_two_samples() -> None:
    """Versions that err on the same rows: their difference is known far better than either value."""
    shared = scores(4, 0.7, TRUTH)
    found = compare(
        TRUTH, challenger=shared, champion=shared + scores(5, 0.05, 0 * TRUTH), max_loss=0.03, confidence=0.95
    )
    assert found.high - found.low < 0.02


def test_the_bounds_hold_as_often_as_they_say() -> None:
    """Of many hold-outs of one population, the lower bound lies below the true difference in about 95 of 100."""
    generator, held = np.random.default_rng(6), 0
    population = pd.DataFrame({"truth": (generator.random(200_000) < 0.3).astype(np.int8)})
    population["a"] = population["truth"] + generator.normal(0, 0.8, len(population))
    population["b"] = population["a"] + generator.normal(0, 0.4, len(population))
    true = roc_auc_score(population["truth"], population["a"]) - roc_auc_score(population["truth"], population["b"])
    for draw in range(60):
        sample = population.sample(500, random_state=draw)
        truth = sample["truth"].to_numpy()
        found = compare(
            truth, challenger=sample["a"].to_numpy(), champion=sample["b"].to_numpy(), max_loss=0.03, confidence=0.95
        )
        held += found.low <= true
    assert 51 <= held <= 60
