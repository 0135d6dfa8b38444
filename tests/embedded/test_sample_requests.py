import csv
import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from baton.specification.columns import Column
from embedded.sample.customers import customers
from embedded.sample.drift import drifted
from embedded.sample.requests import requests
from embedded.sample.table import TableRefused, read_table
from stacks.settings import load_models

REPO = Path(__file__).parents[2]
MODEL = load_models([REPO / "config/models/bank_churn.yaml"], [])[0].model_dump(mode="json")
PUBLIC = load_models([REPO / "examples/public_bank_churn.yaml"], [])[0].model_dump(mode="json")
PUBLIC_DATA = Path(os.environ.get("BATON_PUBLIC_DATA", REPO.parent / "shared/data/bank_churn.csv"))
HEADER = ",".join(PUBLIC["columns"])
AS_OF = date(2026, 1, 1)

needs_public_data = pytest.mark.skipif(not PUBLIC_DATA.is_file(), reason="set BATON_PUBLIC_DATA to the public table")


def test_request_carries_the_inputs_in_the_models_order() -> None:
    frame = customers(rows=50, seed=1)
    asked = requests(frame=frame, model_json=MODEL, as_of=AS_OF)
    first = next(csv.reader([asked["csv"].iloc[0]]))
    row = frame.iloc[0]
    assert len(first) == len(MODEL["features"]) + 1  # gender is a facet, not a feature
    assert first[0] == row["COUNTRY"]
    assert first[2:] == [
        *(str(row[name]) for name in ("CREDIT_SCORE", "TENURE_YEARS", "BALANCE", "PRODUCTS")),
        *(str(row[name]) for name in ("HAS_CREDIT_CARD", "IS_ACTIVE", "ESTIMATED_SALARY", "GENDER")),
    ]
    assert list(json.loads(asked["json"].iloc[0])) == [*MODEL["features"], "gender"]


def test_request_holds_no_personal_value() -> None:
    frame = customers(rows=50, seed=1)
    lines = "\n".join(requests(frame=frame, model_json=MODEL, as_of=AS_OF)["csv"])
    for column in ("CUSTOMER_ID", "FULL_NAME", "ACCOUNT_NUMBER", "EMAIL", "PHONE", "ADDRESS", "DATE_OF_BIRTH"):
        assert not any(str(value) in lines for value in frame[column]), column


def test_ages_are_counted_at_the_given_day() -> None:
    frame = customers(rows=3, seed=1)
    frame["DATE_OF_BIRTH"] = [date(2008, 1, 1), date(2008, 1, 2), None]
    groups = requests(frame=frame, model_json=MODEL, as_of=AS_OF)["age_group"]
    assert groups.tolist()[:2] == ["18-29", "<18"]
    assert groups.isna().tolist() == [False, False, True]


def test_missing_value_is_an_empty_field_and_a_null() -> None:
    frame = customers(rows=2, seed=1)
    frame["BALANCE"] = [None, 5.0]
    asked = requests(frame=frame, model_json=MODEL, as_of=AS_OF)
    assert next(csv.reader([asked["csv"].iloc[0]]))[4] == ""
    assert json.loads(asked["json"].iloc[0])["balance"] is None


def test_text_with_comma_and_quote_survives_as_csv() -> None:
    frame = customers(rows=1, seed=1)
    frame["COUNTRY"] = ['Bosnia, "Herzegovina"']
    asked = requests(frame=frame, model_json=MODEL, as_of=AS_OF)
    assert next(csv.reader([asked["csv"].iloc[0]]))[0] == 'Bosnia, "Herzegovina"'


def test_label_and_inference_id_belong_to_the_row() -> None:
    frame = customers(rows=200, seed=1)
    asked = requests(frame=frame, model_json=MODEL, as_of=AS_OF, prefix="quiet")
    assert asked["label"].tolist() == frame["CHURNED"].tolist()
    assert asked["inference_id"].iloc[7] == "quiet-0000007"
    assert asked["inference_id"].is_unique


def test_label_is_the_source_s_own_value() -> None:
    frame = customers(rows=2, seed=1)
    frame["CHURNED"] = ["yes", "no"]
    model = MODEL | {"target": MODEL["target"] | {"positive": "yes"}}
    assert requests(frame=frame, model_json=model, as_of=AS_OF)["label"].tolist() == ["yes", "no"]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_gets_the_declared_types(tmp_path: Path) -> None:
    path = written(tmp_path, f'{HEADER}\n1,0042,"O\'Neil, ""Bo""",619,NA,Female,42,2,,1,1,1,101348.88,1\n')
    frame = read_table(path=path, model_json=PUBLIC)
    row: dict[str, Any] = frame.iloc[0].to_dict()
    assert (row["CustomerId"], row["Surname"], row["Geography"], row["Exited"]) == (42, 'O\'Neil, "Bo"', "NA", 1)
    assert pd.isna(row["Balance"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{HEADER},Extra\n", "Extra: the model does not declare this column"),
        (f"{HEADER.removesuffix(',Exited')}\n", "Exited: declared in the model and missing here"),
        (f"{HEADER}\n1,x,Hill,1,France,Male,4,2,0,1,1,1,1,1\n", "CustomerId: a value is no integer"),
        (f"{HEADER}\n1,1.5,Hill,1,France,Male,4,2,0,1,1,1,1,1\n", "CustomerId: a value is no integer"),
        (f"{HEADER}\n1,1,Hill,1,France,Male,4,2,much,1,1,1,1,1\n", "Balance: a value is no double"),
        ("", "cannot be read as CSV"),
    ],
)
def test_csv_that_is_not_the_table_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(TableRefused, match=sentence):
        read_table(path=written(tmp_path, text), model_json=PUBLIC)


def test_csv_with_dates_and_booleans(tmp_path: Path) -> None:
    kinds = {"DAY": "date", "FLAG": "boolean", "AT": "timestamp"}
    columns = {name: Column(type=kind, treatment="keep", output=name.lower()) for name, kind in kinds.items()}
    model = MODEL | {"columns": {name: column.model_dump(mode="json") for name, column in columns.items()}}
    text = "DAY,FLAG,AT\n2024-02-29,true,2024-02-29T23:59:58\n,0,\n"
    frame = read_table(path=written(tmp_path, text), model_json=model)
    assert frame["DAY"].tolist()[0] == date(2024, 2, 29)
    assert frame["FLAG"].tolist() == [True, False]
    assert frame["AT"].tolist()[0] == datetime(2024, 2, 29, 23, 59, 58)
    for bad in ("2023-02-29,1,", "2024-01-01,perhaps,", "2024-01-01,1,noon"):
        with pytest.raises(TableRefused, match="a value is no"):
            read_table(path=written(tmp_path, f"DAY,FLAG,AT\n{bad}\n"), model_json=model)


@needs_public_data
def test_public_table_becomes_requests_and_drifts() -> None:
    frame = read_table(path=PUBLIC_DATA, model_json=PUBLIC)
    assert len(frame) >= 10_000
    asked = requests(frame=frame, model_json=PUBLIC, as_of=AS_OF)
    assert asked["label"].mean() == pytest.approx(0.2037, abs=0.001)
    moved = drifted(frame=frame, model_json=PUBLIC, seed=1)
    groups = requests(frame=moved, model_json=PUBLIC, as_of=AS_OF)["age_group"]
    assert (groups == "70+").mean() > (asked["age_group"] == "70+").mean() + 0.03
    assert moved["Exited"].equals(frame["Exited"])
