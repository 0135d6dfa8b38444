"""A data set reaches the Feature Store whole, and comes back as the very values that training sees."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws
from pipeline_scripts.analysis.frames import read_frames, typed
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.features import fill
from pipeline_scripts.features.records import records_of, rows_of
from pipeline_scripts.model import Model, parse_model
from pipeline_scripts.training.fitting import fit_transformer
from pipeline_scripts.training.preprocess import labelled_rows
from tests.runtime.churn import customers, write_dataset

CREATED = "2026-11-24T02:15:00Z"
RUN = "20261124T021000Z-0badcafe"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with EmbeddedAws(tmp_path_factory.mktemp("aws")) as server:
        yield server


@pytest.fixture(scope="module")
def awkward(specification: dict[str, Any]) -> Model:
    """The model with a feature of each type: one of its columns is a boolean."""
    content = json.loads(json.dumps(specification))
    content["columns"]["IS_ACTIVE"]["type"] = "boolean"
    return parse_model(content)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Rows with everything that could be lost on the way: gaps, long fractions, booleans, text of all alphabets."""
    frame = customers(600)
    draw = np.random.default_rng(3)

    def gaps(share: float) -> Any:
        return draw.random(len(frame)) < share

    frame["is_active"] = frame["is_active"].astype(object).map(bool).where(~gaps(0.1), None)
    frame["balance"] = (frame["balance"] / 3).where(~gaps(0.1))
    frame["estimated_salary"] = frame["estimated_salary"] * np.pi * 10.0 ** draw.integers(-12, 12, len(frame))
    frame["credit_score"] = frame["credit_score"].astype("Int64").where(~gaps(0.1))
    frame["country"] = frame["country"].where(~gaps(0.1), None)
    frame.loc[frame.index % 7 == 0, "country"] = 'Österreich / 日本\u202f\'& "x" 🦊'
    frame["age_group"] = frame["age_group"].where(~gaps(0.1), None)
    frame["products"] = -frame["products"]
    return frame


def write(folder: Path, frame: pd.DataFrame, **changes: Any) -> Path:
    write_dataset(folder, frame)
    [path] = folder.glob("*manifest.json")
    manifest = {"run_id": RUN, "created_at": CREATED, **json.loads(path.read_text()), **changes}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def make_group(aws: EmbeddedAws, name: str, model: Model) -> None:
    kinds = {"integer": "Integral", "boolean": "Integral", "double": "Fractional", "string": "String"}
    own = {"customer_ref": "String", "event_time": "String", "dataset_run": "String"}
    features = own | {name: kinds[model.kind(name)] for name in model.inputs}
    aws.client("sagemaker").create_feature_group(
        FeatureGroupName=name,
        RecordIdentifierFeatureName="customer_ref",
        EventTimeFeatureName="event_time",
        FeatureDefinitions=[{"FeatureName": key, "FeatureType": kind} for key, kind in features.items()],
        OnlineStoreConfig={"EnableOnlineStore": True},
    )


def looked_up(client: Any, group: str, refs: list[str]) -> list[Any]:
    found = {}
    for start in range(0, len(refs), 100):
        wanted = {"FeatureGroupName": group, "RecordIdentifiersValueAsString": refs[start : start + 100]}
        answer = client.batch_get_record(Identifiers=[wanted])
        assert answer["Errors"] == answer["UnprocessedIdentifiers"] == []
        found |= {item["RecordIdentifierValueAsString"]: item["Record"] for item in answer["Records"]}
    return [found[ref] for ref in refs]


def test_training_and_the_feature_store_see_bitwise_the_same_matrix(
    aws: EmbeddedAws, awkward: Model, frame: pd.DataFrame, tmp_path: Path
) -> None:
    dataset = write(tmp_path / "dataset", frame)
    rows, _ = labelled_rows(read_frames(dataset), awkward)
    transformer = fit_transformer(rows, awkward)
    trained = transformer.encode(rows)

    make_group(aws, "no-skew", awkward)
    client = aws.client("sagemaker-featurestore-runtime")
    fill.fill(dataset, awkward, client=client, group="no-skew")
    served = rows_of(looked_up(client, "no-skew", list(rows["customer_ref"])), awkward)

    assert transformer.encode(served).tobytes() == trained.tobytes()
    pd.testing.assert_frame_equal(served, rows[list(awkward.inputs)])
    one = client.get_record(FeatureGroupName="no-skew", RecordIdentifierValueAsString=rows["customer_ref"][0])
    assert transformer.encode(rows_of([one["Record"]], awkward)).tobytes() == trained[:1].tobytes()
    assert rows[list(awkward.inputs)].isna().any().sum() >= 4, "the rows must have gaps for this to mean anything"


def test_a_record_says_which_run_made_it_and_since_when_it_holds(
    aws: EmbeddedAws, model: Model, tmp_path: Path
) -> None:
    make_group(aws, "lineage", model)
    client = aws.client("sagemaker-featurestore-runtime")
    said = fill.fill(write(tmp_path / "dataset", customers(40)), model, client=client, group="lineage")
    assert said == f"Completed: 40 records of run {RUN} are in lineage."
    [record] = looked_up(client, "lineage", ["40"])
    values = {item["FeatureName"]: item["ValueAsString"] for item in record}
    assert (values["event_time"], values["dataset_run"], values["customer_ref"]) == (CREATED, RUN, "40")


def test_a_second_run_leaves_the_records_as_they_are_and_a_newer_data_set_replaces_them(
    aws: EmbeddedAws, model: Model, tmp_path: Path
) -> None:
    make_group(aws, "rerun", model)
    client, rows = aws.client("sagemaker-featurestore-runtime"), customers(20)
    refs = [str(ref) for ref in rows["customer_ref"]]
    first = write(tmp_path / "first", rows)
    fill.fill(first, model, client=client, group="rerun")
    before = looked_up(client, "rerun", refs)
    fill.fill(first, model, client=client, group="rerun")
    assert looked_up(client, "rerun", refs) == before
    newer = write(tmp_path / "newer", rows.assign(products=9), created_at="2026-11-25T02:15:00Z")
    fill.fill(newer, model, client=client, group="rerun")
    fill.fill(first, model, client=client, group="rerun")
    assert set(rows_of(looked_up(client, "rerun", refs), model)["products"]) == {9}


class Store:
    """A runtime API that refuses some records, in the service's words."""

    def __init__(self, *refused: str, code: str = "ValidationError") -> None:
        self.refused = refused
        self.code = code
        self.taken: list[str] = []

    def put_record(self, *, FeatureGroupName: str, Record: list[dict[str, str]]) -> None:
        values = {item["FeatureName"]: item["ValueAsString"] for item in Record}
        if values["customer_ref"] in self.refused:
            message = f"FeatureName [country] cannot be. Value: '{values['country']}'"
            raise ClientError({"Error": {"Code": self.code, "Message": message}}, "PutRecord")
        self.taken.append(values["customer_ref"])


def test_refused_records_fail_the_job_with_their_number_and_the_first_reason_but_no_value(
    model: Model, tmp_path: Path
) -> None:
    store = Store("3", "17")
    rows = customers(20).assign(country="Ruritania")
    with pytest.raises(JobError) as failure:
        fill.fill(write(tmp_path / "dataset", rows), model, client=store, group="g")
    assert str(failure.value).startswith("g refused 2 of 20 records; the first, of row 2, because: ValidationError: ")
    assert "FeatureName [country]" in str(failure.value)
    assert "Ruritania" not in str(failure.value)
    assert len(store.taken) == 18, "the others are put all the same"


def test_a_group_that_cannot_be_written_at_all_fails_at_once(model: Model, tmp_path: Path) -> None:
    store = Store(*(str(ref) for ref in range(1, 21)), code="AccessForbidden")
    with pytest.raises(JobError, match="g cannot be filled: AccessForbidden"):
        fill.fill(write(tmp_path / "dataset", customers(20)), model, client=store, group="g")


def test_a_data_set_that_was_changed_is_not_put_anywhere(model: Model, tmp_path: Path) -> None:
    dataset, store = write(tmp_path / "dataset", customers(20)), Store()
    customers(21).to_parquet(dataset / "part-0.parquet", index=False)
    with pytest.raises(JobError, match="differs from its hash"):
        fill.fill(dataset, model, client=store, group="g")
    assert store.taken == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"customer_ref": 1}, "20 rows share their customer_ref"),
        ({"customer_ref": None}, "have no customer_ref"),
        ({"balance": float("inf")}, "'balance' holds an infinite number"),
        ({"balance": "much"}, "'balance' holds a value that is not double"),
    ],
)
def test_rows_that_cannot_be_records_are_refused_before_the_first_is_put(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], complaint: str
) -> None:
    monkeypatch.setattr(fill, "CHUNK", 5)
    store, rows = Store(), customers(20)
    for name, value in changes.items():
        rows[name] = value if name == "customer_ref" else [*rows[name][:-1], value]
    rows = rows.astype({"balance": str}) if "much" in changes.values() else rows
    with pytest.raises(JobError, match=complaint):
        fill.fill(write(tmp_path / "dataset", rows), model, client=store, group="g")
    assert store.taken == []


def test_what_is_missing_is_left_out_of_the_record(model: Model) -> None:
    rows = customers(1).assign(country=None, balance=np.nan)
    [record] = records_of(rows, model, event_time=CREATED, dataset_run=RUN)
    names = {item["FeatureName"] for item in record}
    assert {"country", "balance"}.isdisjoint(names)
    assert names == {"customer_ref", "event_time", "dataset_run", *model.inputs} - {"country", "balance"}
    back = rows_of([record], model)
    assert back[["country", "balance"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(back, typed(rows, model, model.inputs))


def test_a_record_of_another_model_is_refused(model: Model) -> None:
    with pytest.raises(JobError, match="'credit_score' of a record is not integer"):
        rows_of([[{"FeatureName": "credit_score", "ValueAsString": "good"}]], model)
