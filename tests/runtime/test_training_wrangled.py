"""The rows of a flow take the place of the data set's, and must still be what the model is trained on."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model
from pipeline_scripts.training import preprocess
from pipeline_scripts.training.wrangled import wrangled_rows
from tests.runtime.churn import customers, split_arguments, write_dataset

SIDES = ("train", "validation", "holdout")


def written(folder: Path, frame: pd.DataFrame) -> Path:
    """As the container leaves rows: in files of Spark's, some folders down."""
    target = folder / "wrangled" / "node" / "default"
    target.mkdir(parents=True)
    (target / "_SUCCESS").touch()
    half = len(frame) // 2
    frame.iloc[:half].to_parquet(target / "part-00000.snappy.parquet", index=False)
    frame.iloc[half:].to_parquet(target / "part-00001.snappy.parquet", index=False)
    return folder / "wrangled"


def split_salaries(root: Path) -> dict[str, set[float]]:
    folders = {"train": root / "input" / "data", "validation": root / "input" / "data", "holdout": root}
    return {
        name: set(pd.read_parquet(parent / name / f"{name}.parquet")["estimated_salary"])
        for name, parent in folders.items()
    }


def test_the_rows_of_the_flow_are_split_and_stay_on_the_side_they_had(job: Path) -> None:
    frame = customers(1_500)
    write_dataset(job / "dataset", frame)
    assert preprocess.main(split_arguments(job)) == 0
    before = split_salaries(job)

    kept = frame[frame["credit_score"] > 600].drop(columns="account_hash")
    arguments = [*split_arguments(job), "--wrangled", str(written(job, kept))]
    assert preprocess.main(arguments) == 0
    after = split_salaries(job)

    assert set.union(*after.values()) == set(kept["estimated_salary"])
    assert all(after[name] <= before[name] for name in SIDES)


def test_values_of_the_flow_are_taken_instead_of_the_data_sets(job: Path) -> None:
    frame = customers(1_500)
    write_dataset(job / "dataset", frame)
    mended = frame.assign(country=frame["country"].str.upper())
    assert preprocess.main([*split_arguments(job), "--wrangled", str(written(job, mended))]) == 0

    rows = pd.read_parquet(job / "holdout" / "holdout.parquet")
    assert set(rows["country"]) == {"FRANCE", "GERMANY", "SPAIN"}


def test_a_data_set_that_was_changed_is_refused_even_where_a_flow_has_run(job: Path) -> None:
    write_dataset(job / "dataset", customers(300))
    customers(10).to_parquet(job / "dataset" / "part-0.parquet", index=False)
    arguments = [*split_arguments(job), "--wrangled", str(written(job, customers(300)))]
    assert preprocess.main(arguments) == 1
    assert "part-0.parquet differs from its hash" in (job / "output" / "message").read_text()


Change = Callable[[pd.DataFrame], pd.DataFrame]
FAULTS: list[tuple[str, Change, str]] = [
    ("a feature is gone", lambda f: f.drop(columns="balance"), "leaves no column 'balance'"),
    ("a facet is gone", lambda f: f.drop(columns="gender"), "leaves no column 'gender'"),
    ("the label is gone", lambda f: f.drop(columns="churned"), "leaves no column 'churned'"),
    ("the identifier is gone", lambda f: f.drop(columns="customer_ref"), "leaves no column 'customer_ref'"),
    (
        "an identifier is missing",
        lambda f: f.assign(customer_ref=f["customer_ref"].where(f["customer_ref"] > 3)),
        "rows without 'customer_ref'",
    ),
    ("a number became a word", lambda f: f.assign(tenure_years="long"), "'tenure_years' holds a value that is not"),
    ("half a number", lambda f: f.assign(products=1.5), "'products' holds a value that is not integer"),
]


@pytest.mark.parametrize(("change", "sentence"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_a_flow_that_loses_what_the_model_needs_is_refused(
    change: Change, sentence: str, model: Model, tmp_path: Path
) -> None:
    with pytest.raises(JobError) as refusal:
        wrangled_rows(written(tmp_path, change(customers(20))), model)
    assert sentence in str(refusal.value)


def test_numbers_that_spark_wrote_as_text_or_fractions_are_numbers(model: Model, tmp_path: Path) -> None:
    frame = customers(20)
    spelled = frame.assign(credit_score=frame["credit_score"].astype(str), products=frame["products"].astype(float))
    rows = wrangled_rows(written(tmp_path, spelled), model)
    assert rows["credit_score"].tolist() == frame["credit_score"].tolist()
    assert rows["products"].tolist() == frame["products"].tolist()
    assert str(rows["customer_ref"].dtype) == "Int64"


def test_no_file_at_all_is_refused(model: Model, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="holds no Parquet file"):
        wrangled_rows(tmp_path, model)
