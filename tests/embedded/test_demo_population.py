"""Who is in the bank's table, and who only asks: nobody is both, and only the changed ones have changed."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from embedded.demo.population import Population, from_table, generated
from stacks.settings import load_models

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model_json() -> dict[str, Any]:
    """The public model as the infrastructure ships it."""
    return load_models([ROOT / "examples" / "public_bank_churn.yaml"], [])[0].model_dump(mode="json")


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
    assert [len(group) for group in (people.bank, people.newcomers, people.quiet, people.drifted)] == [
        700,
        100,
        100,
        100,
    ]


def test_generated_people_are_distinct() -> None:
    people = generated(rows=1500, traffic=300)
    assert people.everybody()["CUSTOMER_ID"].is_unique
    assert (len(people.bank), len(people.newcomers), len(people.quiet)) == (1500, 500, 300)


def test_newcomers_of_a_table_differ_in_their_amounts_alone(table: Path, model_json: dict[str, Any]) -> None:
    given = pd.read_csv(table).set_index("CustomerId")
    newcomers = from_table(table, model_json=model_json, traffic=600).newcomers.set_index("CustomerId")
    before = given.loc[newcomers.index]
    changed = [name for name in before if not (before[name].to_numpy() == newcomers[name].to_numpy()).all()]
    assert changed == ["Balance", "EstimatedSalary"]


def means(people: Population, column: str) -> list[float]:
    return [group[column].mean() for group in (people.bank, people.quiet, people.newcomers, people.drifted)]


def test_only_newcomers_and_changed_traffic_have_more_money(table: Path, model_json: dict[str, Any]) -> None:
    for bank, quiet, newcomers, drifted in (
        means(generated(rows=3000, traffic=600), "BALANCE"),
        means(from_table(table, model_json=model_json, traffic=600), "Balance"),
    ):
        assert quiet == pytest.approx(bank, rel=0.15)
        assert newcomers > 1.2 * bank
        assert drifted > 1.2 * bank
