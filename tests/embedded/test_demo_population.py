"""Who is in the bank's table, and who only asks: nobody is both, and only the changed ones have changed."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from embedded.demo.population import Population, from_table, generated

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model_json() -> dict[str, Any]:
    """The public model as JSON, with what a model's YAML may leave out."""
    model: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "public_bank_churn.yaml").read_text())
    for column in model["columns"].values():
        for name in ("output", "bands", "prefix"):
            column.setdefault(name, None)
    return model


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = pd.DataFrame(
        {
            "RowNumber": range(1, 1001),
            "CustomerId": range(15_600_000, 15_601_000),
            "Surname": [f"Name{number}" for number in range(1000)],
            "CreditScore": [350 + number % 500 for number in range(1000)],
            "Geography": [("France", "France", "Spain", "Germany")[number % 4] for number in range(1000)],
            "Gender": [("Female", "Male")[number % 2] for number in range(1000)],
            "Age": [18 + number % 60 for number in range(1000)],
            "Tenure": [number % 11 for number in range(1000)],
            "Balance": [float(number * 100) for number in range(1000)],
            "NumOfProducts": [1 + number % 3 for number in range(1000)],
            "HasCrCard": [number % 2 for number in range(1000)],
            "IsActiveMember": [number % 2 for number in range(1000)],
            "EstimatedSalary": [1000.5 + number for number in range(1000)],
            "Exited": [int(number % 5 == 0) for number in range(1000)],
        }
    )
    path = tmp_path_factory.mktemp("data") / "customers.csv"
    rows.to_csv(path, index=False)
    return path


def keys(people: pd.DataFrame, key: str) -> set[int]:
    assert people[key].is_unique
    return set(people[key].tolist())


def test_nobody_of_the_table_is_asked_about(table: Path, model_json: dict[str, Any]) -> None:
    people = from_table(table, model_json=model_json, traffic=600)
    groups = [keys(group, "CustomerId") for group in (people.bank, people.newcomers, people.quiet, people.drifted)]
    assert sum(map(len, groups)) == len(set().union(*groups)) == len(people.everybody())
    assert (len(people.bank), len(people.quiet), len(people.drifted)) == (800, 100, 100)


def test_generated_people_are_distinct() -> None:
    people = generated(rows=1500, traffic=300)
    assert people.everybody()["CUSTOMER_ID"].is_unique
    assert (len(people.bank), len(people.newcomers), len(people.quiet)) == (1500, 500, 300)


def balances(people: Population, column: str) -> tuple[float, float, float, float]:
    means = [group[column].mean() for group in (people.bank, people.quiet, people.newcomers, people.drifted)]
    return means[0], means[1], means[2], means[3]


def test_only_newcomers_and_changed_traffic_differ(table: Path, model_json: dict[str, Any]) -> None:
    generated_means = balances(generated(rows=3000, traffic=600), "BALANCE")
    table_means = balances(from_table(table, model_json=model_json, traffic=600), "Balance")
    for bank, quiet, newcomers, drifted in (generated_means, table_means):
        assert quiet == pytest.approx(bank, rel=0.12)
        assert newcomers > 1.2 * bank
        assert drifted > 1.2 * bank
