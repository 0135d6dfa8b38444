"""Rows of public tables, as a source would hold them: what the models under examples are shown to learn from."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes

from embedded.sample.requests import requests
from pipeline_scripts.model import parse_model
from pipeline_scripts.training.split import identifier

CREDIT_CATEGORIES = {
    "CHECKING_STATUS": (["no account", "overdrawn", "below 200", "200 or more"], [0.39, 0.27, 0.27, 0.07]),
    "CREDIT_HISTORY": (["existing paid", "critical", "delayed", "all paid"], [0.53, 0.29, 0.09, 0.09]),
    "PURPOSE": (["radio or television", "new car", "furniture", "used car", "business"], [0.3, 0.26, 0.2, 0.12, 0.12]),
    "SAVINGS": (["below 100", "unknown", "100 to 500", "500 or more"], [0.6, 0.18, 0.11, 0.11]),
    "EMPLOYMENT": (["1 to 4 years", "7 years or more", "4 to 7 years", "below 1 year"], [0.35, 0.28, 0.19, 0.18]),
    "PERSONAL_STATUS": (["male single", "female", "male married", "male divorced"], [0.55, 0.31, 0.09, 0.05]),
    "HOUSING": (["own", "rent", "free"], [0.71, 0.18, 0.11]),
}


def patients() -> pd.DataFrame:
    """The table of diabetes patients, in its own units."""
    table = load_diabetes(scaled=False, as_frame=True).frame
    return (
        table.rename(columns=str.upper)
        .assign(PATIENT=range(100_001, 100_001 + len(table)))
        .astype({"AGE": int, "SEX": int})
    )


def applications(rows: int = 2_000, *, seed: int = 7) -> pd.DataFrame:
    """Applications in the shape of the German credit table, a bad credit the likelier the longer and larger."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "APPLICATION": range(100_001, 100_001 + rows),
            **{name: draw.choice(values, rows, p=shares) for name, (values, shares) in CREDIT_CATEGORIES.items()},
            "DURATION": draw.choice([6, 12, 18, 24, 36, 48], rows, p=[0.1, 0.27, 0.17, 0.24, 0.14, 0.08]),
            "CREDIT_AMOUNT": np.exp(draw.normal(7.8, 0.75, rows)).round(),
            "INSTALLMENT_RATE": draw.integers(1, 5, rows),
            "AGE": (19 + draw.gamma(2.2, 7.5, rows)).astype(int),
            "TELEPHONE": [f"+49 30 {5_550_000 + row}" for row in range(rows)],
        }
    )
    risk = -2.2 + 0.035 * frame["DURATION"] + 0.00008 * frame["CREDIT_AMOUNT"]
    risk += frame["CHECKING_STATUS"].map({"overdrawn": 1.6, "below 200": 1.1, "200 or more": 0.3, "no account": -0.9})
    risk += frame["CREDIT_HISTORY"].map({"critical": -0.9, "existing paid": 0.0, "delayed": 0.4, "all paid": 1.1})
    risk += 0.4 * (frame["AGE"] < 25) + 0.3 * (frame["HOUSING"] == "rent")
    return frame.assign(CLASS=np.where(draw.random(rows) < 1 / (1 + np.exp(-risk)), "bad", "good"))


def curated(frame: pd.DataFrame, specification: dict[str, Any]) -> pd.DataFrame:
    """Source rows as the ETL publishes them, for any model: inputs, target, and whom a row is about."""
    model = parse_model(specification)
    asked = requests(frame=frame, model_json=specification, as_of=date(2026, 1, 1))
    return asked[list(model.inputs)].assign(**{model.target: asked["label"], str(identifier(model)): frame[model.key]})
