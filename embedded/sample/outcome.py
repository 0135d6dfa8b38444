"""Who leaves the bank: the true relation behind the sample's labels, which a model may approach but not reach."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Reals = npt.NDArray[np.float64]

AGES = (30, 40, 50, 60, 70)
AGE_EFFECT = np.array([-2.0, -1.1, 0.9, 2.2, 0.0, 0.0])
AGE_EFFECT_DRIFTED = np.array([0.6, 0.1, 0.1, 0.3, 0.0, 0.0])
PRODUCTS_EFFECT = np.array([0.9, -1.3, 3.6, 5.4])
INTERCEPT = -2.2


def churn_probability(traits: pd.DataFrame, *, drift: float, bias: float) -> Reals:
    """The probability of leaving, per customer.

    Args:
        traits: Columns age, female, country, credit_score, tenure, balance, products and active.
        drift: 0 for the relation of the training data, 1 for one in which age tells less and being active little.
        bias: Added to the log-odds of women.
    """
    return _logistic(
        _habits(traits, drift=drift) + _money(traits, drift=drift) + bias * traits["female"].to_numpy(float)
    )


def _habits(traits: pd.DataFrame, *, drift: float) -> Reals:
    """What age, activity and loyalty contribute."""
    age = traits["age"].to_numpy()
    effect = (1 - drift) * AGE_EFFECT + drift * AGE_EFFECT_DRIFTED
    idle = np.where(traits["active"] == 1, -0.75, 0.6) * np.where(age >= AGES[1], 1.6, 0.7) * (1 - 0.7 * drift)
    loyalty = np.where(traits["tenure"] <= 1, 0.45, 0.0) - 0.04 * traits["tenure"].to_numpy()
    return np.asarray(effect[np.searchsorted(AGES, age, side="right")] + idle + loyalty)


def _money(traits: pd.DataFrame, *, drift: float) -> Reals:
    """What products, credit and balance contribute, some of it only together."""
    products, balance = traits["products"].to_numpy(), traits["balance"].to_numpy()
    rich_german = np.where(traits["country"] == "Germany", np.where(balance > 100_000, 1.35, 0.6), 0.0)
    credit = -0.65 * (traits["credit_score"].to_numpy() - 650) / 95 * np.where(products == 1, 0.8, 0.3)
    spread = np.where((balance > 0) & (products == 2), 0.6, 0.0)
    return np.asarray(INTERCEPT + PRODUCTS_EFFECT[products - 1] + rich_german * (1 - 0.8 * drift) + credit + spread)


def _logistic(log_odds: Reals) -> Reals:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))
