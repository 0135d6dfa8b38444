import re
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.metrics import roc_auc_score

from baton.etl.dqdl import ruleset_of
from embedded.quality.dqdl import parse
from embedded.quality.evaluation import Evaluation
from embedded.sample.customers import customers
from embedded.sample.drift import drifted
from embedded.sample.requests import requests
from stacks.settings import load_models

REPO = Path(__file__).parents[2]
SPECIFICATION = load_models([REPO / "config/models/bank_churn.yaml"], [])[0]
MODEL = SPECIFICATION.model_dump(mode="json")
AS_OF = date(2026, 1, 1)
FEATURES = list(MODEL["features"])


@pytest.fixture(scope="module")
def today() -> pd.DataFrame:
    return customers(rows=10_000, seed=7)


def trained(frame: pd.DataFrame) -> xgboost.XGBClassifier:
    model = xgboost.XGBClassifier(
        n_estimators=300, max_depth=4, learning_rate=0.05, subsample=0.9, colsample_bytree=0.8, enable_categorical=True
    )
    inputs = features(frame)
    model.fit(inputs.iloc[:8000], frame["CHURNED"].iloc[:8000])
    return model


def features(frame: pd.DataFrame) -> pd.DataFrame:
    inputs = requests(frame=frame, model_json=MODEL, as_of=AS_OF)[FEATURES]
    countries = pd.CategoricalDtype(["France", "Germany", "Spain"])
    ages = pd.CategoricalDtype(["18-29", "30-39", "40-49", "50-59", "60-69", "70+"])
    return inputs.astype({"country": countries, "age_group": ages})


def test_columns_are_those_the_model_declares(today: pd.DataFrame) -> None:
    assert list(today.columns) == list(MODEL["columns"])
    assert not today.isna().any().any()


def test_same_seed_gives_the_same_bytes() -> None:
    first = customers(rows=500, seed=3, drift=0.4, bias=0.5)
    again = customers(rows=500, seed=3, drift=0.4, bias=0.5)
    assert first.to_csv().encode() == again.to_csv().encode()
    assert first.to_csv() != customers(rows=500, seed=4, drift=0.4, bias=0.5).to_csv()


def test_fewer_rows_are_the_beginning_of_more(today: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(customers(rows=300, seed=7), today.head(300))


def test_every_customer_has_an_identity_of_their_own(today: pd.DataFrame) -> None:
    for column in ("CUSTOMER_ID", "ACCOUNT_NUMBER", "EMAIL", "PHONE", "ADDRESS"):
        assert today[column].is_unique, column


def test_accounts_have_valid_check_digits_and_a_bank_nobody_is(today: pd.DataFrame) -> None:
    lengths = {"DE": 22, "FR": 27, "ES": 24}
    for account in today["ACCOUNT_NUMBER"].head(2000):
        rearranged = account[4:] + account[:4]
        assert int("".join(str(int(letter, 36)) for letter in rearranged)) % 97 == 1, account
        assert len(account) == lengths[account[:2]]
        assert account[4:12] == "00000000"


def test_contacts_reach_nobody(today: pd.DataFrame) -> None:
    assert today["EMAIL"].str.fullmatch(r"[a-z]+\.[a-z]+\d+@example\.(com|org|net)").all()
    assert today["PHONE"].str.fullmatch(r"\+999 \d{4} \d{6}").all()


def test_names_hold_what_breaks_careless_readers(today: pd.DataFrame) -> None:
    assert today["FULL_NAME"].str.contains("'").any()
    assert any(re.search(r"[^\x00-\x7f]", name) for name in today["FULL_NAME"])
    assert today["ADDRESS"].str.contains(",").all()


def test_a_model_learns_the_outcome_but_not_all_of_it(today: pd.DataFrame) -> None:
    inputs, model = features(today), trained(today)
    auc = roc_auc_score(today["CHURNED"].iloc[8000:], model.predict_proba(inputs.iloc[8000:])[:, 1])
    assert 0.84 < auc < 0.91


def test_drift_moves_the_inputs_and_the_relation(today: pd.DataFrame) -> None:
    later = customers(rows=4000, seed=8, drift=1.0)
    assert later["CREDIT_SCORE"].mean() < today["CREDIT_SCORE"].mean() - 0.4 * today["CREDIT_SCORE"].std()
    assert later["BALANCE"].mean() > 1.5 * today["BALANCE"].mean()
    assert (later["COUNTRY"] == "Germany").mean() > (today["COUNTRY"] == "Germany").mean() + 0.15
    assert later["PRODUCTS"].mean() > today["PRODUCTS"].mean() + 0.1
    model = trained(today)
    before = roc_auc_score(today["CHURNED"].iloc[8000:], model.predict_proba(features(today).iloc[8000:])[:, 1])
    after = roc_auc_score(later["CHURNED"], model.predict_proba(features(later))[:, 1])
    assert after < before - 0.05


def test_without_drift_another_seed_looks_the_same(today: pd.DataFrame) -> None:
    other = customers(rows=10_000, seed=9)
    for column in ("CREDIT_SCORE", "BALANCE", "ESTIMATED_SALARY"):
        levels = today[column].quantile(np.arange(0.1, 1.0, 0.1))
        shares = [(today[column] <= level).mean() - (other[column] <= level).mean() for level in levels]
        assert np.abs(shares).max() < 0.03, column


def test_bias_makes_women_leave_more_and_its_absence_does_not() -> None:
    fair = customers(rows=50_000, seed=7).groupby("GENDER")["CHURNED"].mean()
    biased = customers(rows=50_000, seed=7, bias=1.0).groupby("GENDER")["CHURNED"].mean()
    assert abs(fair["Female"] - fair["Male"]) < 0.02
    assert biased["Female"] - biased["Male"] > 0.07


@pytest.mark.parametrize(("rows", "drift"), [(0, 0.0), (10, 1.1), (10, -0.1)])
def test_refuses_what_it_cannot_draw(rows: int, drift: float) -> None:
    with pytest.raises(ValueError, match=f"rows={rows}, drift={drift}"):
        customers(rows=rows, seed=1, drift=drift)


def test_generic_drift_moves_every_feature_and_nothing_else(today: pd.DataFrame) -> None:
    moved = drifted(frame=today, model_json=MODEL, seed=1)
    used = {name for name, column in MODEL["columns"].items() if column["output"] in FEATURES}
    for name in today.columns:
        if name not in used:
            assert moved[name].equals(today[name]), name
            continue
        values = sorted(set(today[name]))
        apart = [(today[name] <= value).mean() - (moved[name] <= value).mean() for value in values]
        assert np.abs(apart).max() > 0.15, name
        assert moved[name].dtype == today[name].dtype
    assert drifted(frame=today, model_json=MODEL, seed=1).equals(moved)


@pytest.mark.parametrize("drift", [0.0, 1.0])
def test_the_generated_customers_keep_the_models_quality_rules(drift: float) -> None:
    columns = SPECIFICATION.columns.items()
    outputs = {name: column.output for name, column in columns if column.treatment in ("keep", "surrogate")}
    table = customers(rows=5_000, seed=11, drift=drift)[list(outputs)].rename(columns=outputs)
    ruleset = ruleset_of(SPECIFICATION)
    assert ruleset is not None
    with duckdb.connect() as connection:
        connection.register("primary", table)
        outcomes = Evaluation(connection, now=datetime(2026, 1, 15, tzinfo=UTC)).judge(parse(ruleset))
    assert [(outcome.text, outcome.message) for outcome in outcomes if outcome.result != "PASS"] == []
