"""The split is frozen by identifier and seed, and the data set is verified before anything is learnt from it."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model
from pipeline_scripts.training import preprocess
from pipeline_scripts.training.preprocess import labelled_rows, verify
from pipeline_scripts.training.split import HOLDOUT, TRAIN, VALIDATION, holdout_of, split
from tests.runtime.churn import Trained, customers, split_arguments, write_dataset


def refs_of(side: pd.DataFrame, frame: pd.DataFrame) -> set[int]:
    """Whom the rows of a side are about: salaries identify a row in the sample."""
    return set(frame.loc[frame["estimated_salary"].isin(side["estimated_salary"]), "customer_ref"])


def sides_of(frame: pd.DataFrame, model: Model) -> dict[str, pd.DataFrame]:
    return split(labelled_rows(frame, model)[0], model)


def test_every_row_lies_on_exactly_one_side(model: Model) -> None:
    frame = customers(1_500)
    refs = [refs_of(side, frame) for side in sides_of(frame, model).values()]
    assert set.union(*refs) == set(frame["customer_ref"])
    assert sum(map(len, refs)) == len(frame)


def test_sides_have_about_the_asked_size_and_share_of_positives(model: Model) -> None:
    frame = customers(3_000)
    sides = sides_of(frame, model)
    assert len(sides[HOLDOUT]) == pytest.approx(600, abs=70)
    assert len(sides[VALIDATION]) == pytest.approx(300, abs=50)
    for side in sides.values():
        assert side["churned"].mean() == pytest.approx(frame["churned"].mean(), abs=0.08)


def test_grown_reordered_and_shrunk_data_keeps_every_row_on_its_side(model: Model) -> None:
    old = customers(1_500)
    grown = pd.concat([customers(1_000, seed=8, first=5_000), old.sample(frac=0.8, random_state=1)])
    before, after = sides_of(old, model), sides_of(grown, model)
    stayed = set(grown["customer_ref"]) & set(old["customer_ref"])
    for name in (TRAIN, VALIDATION, HOLDOUT):
        assert refs_of(before[name], old) & stayed == refs_of(after[name], grown) & stayed


def test_another_seed_holds_out_other_people(model: Model) -> None:
    frame = customers(1_500)
    settings = {**model.settings, "training": {**model.settings["training"], "seed": 1}}
    other = sides_of(frame, dataclasses.replace(model, settings=settings))
    assert refs_of(other[HOLDOUT], frame) != refs_of(sides_of(frame, model)[HOLDOUT], frame)


@pytest.mark.parametrize(("earlier", "later"), [(0.3, 0.2), (0.2, 0.2), (0.2, 0.3)])
def test_the_recipe_of_the_hold_out_tells_whether_a_version_saw_its_rows(
    model: Model, earlier: float, later: float
) -> None:
    frame, _ = labelled_rows(customers(1_500), model)
    training = model.settings["training"]
    models = [
        dataclasses.replace(model, settings={**model.settings, "training": {**training, "holdout_fraction": fraction}})
        for fraction in (earlier, later)
    ]
    before, after = (holdout_of(frame, each) for each in models)
    sides, held = split(frame, models[0]), refs_of(split(frame, models[1])[HOLDOUT], frame)
    learnt = refs_of(sides[TRAIN], frame) | refs_of(sides[VALIDATION], frame)
    assert (after.leak(before) is None) == learnt.isdisjoint(held) == (earlier >= later)


def test_row_order_and_file_boundaries_do_not_change_the_sides(model: Model) -> None:
    frame = customers(800)
    shuffled = frame.sample(frac=1, random_state=3)
    for name, side in sides_of(frame, model).items():
        pd.testing.assert_frame_equal(side, sides_of(shuffled, model)[name])


def test_all_rows_of_one_person_lie_on_one_side(model: Model) -> None:
    frame = customers(900)
    frame["customer_ref"] = frame["customer_ref"] // 3
    refs = [refs_of(side, frame) for side in sides_of(frame, model).values()]
    assert sum(map(len, refs)) == frame["customer_ref"].nunique()


def test_fails_when_identifier_and_label_are_entangled(model: Model) -> None:
    frame = customers(3_000)
    frame["customer_ref"] = frame["churned"] * 2 + frame["is_active"]
    with pytest.raises(JobError, match=r"not both outcomes|more than chance explains"):
        sides_of(frame, model)


def test_rows_without_a_label_are_left_out_and_counted(model: Model) -> None:
    frame = customers(100)
    frame["churned"] = frame["churned"].astype("Int64")
    frame.loc[:9, "churned"] = None
    kept, unlabelled = labelled_rows(frame, model)
    assert (len(kept), unlabelled) == (90, 10)


def test_fails_when_a_column_of_the_model_is_missing(model: Model) -> None:
    with pytest.raises(JobError, match="no column 'balance'"):
        labelled_rows(customers(50).drop(columns="balance"), model)


def test_frames_hold_inputs_and_target_and_nothing_that_identifies(trained: Trained) -> None:
    for path in [trained.root / "holdout" / "holdout.parquet", *(trained.root / "input" / "data").rglob("*.parquet")]:
        assert list(pd.read_parquet(path)) == [*trained.model.inputs, "churned"]
    assert list(pd.read_csv(trained.root / "baseline" / "baseline.csv")) == list(trained.model.inputs)
    assert list(pd.read_csv(trained.root / "analysis" / "analysis.csv")) == ["churned", *trained.model.inputs]


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda folder: (folder / "part-0.parquet").write_bytes(b"other"), "differs from its hash"),
        (lambda folder: (folder / "part-0.parquet").unlink(), "listed in _manifest.json but missing"),
        (lambda folder: (folder / "stray.parquet").write_bytes(b"x"), "not listed in _manifest.json"),
        (lambda folder: (folder / "_manifest.json").unlink(), "_manifest.json is missing"),
        (lambda folder: (folder / "_manifest.json").write_text("{"), "is not JSON"),
    ],
)
def test_refuses_a_data_set_that_differs_from_its_manifest(tmp_path: Path, damage, complaint: str) -> None:  # type: ignore[no-untyped-def]
    write_dataset(tmp_path / "dataset", customers(100))
    verify(tmp_path / "dataset")
    damage(tmp_path / "dataset")
    with pytest.raises(JobError, match=complaint):
        verify(tmp_path / "dataset")


def test_failure_leaves_its_reason_as_exit_message(job: Path) -> None:
    write_dataset(job / "dataset", customers(100))
    (job / "dataset" / "part-1.parquet").write_bytes(b"other")
    assert preprocess.main(split_arguments(job)) == 1
    assert "part-1.parquet differs from its hash" in (job / "output" / "message").read_text()
