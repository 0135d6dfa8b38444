"""The sample bank's customer table: any number of rows from a seed, with known drift and known bias on demand."""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from embedded.sample.identities import FEMALE, MALE, addresses, emails, ibans, phones, surname_choices
from embedded.sample.outcome import churn_probability

FIRST_CUSTOMER = 700_000_000_000  # twelve digits: too long to be met by chance in a number of anything else
COUNTRIES = np.array(["France", "Germany", "Spain"])
REFERENCE_DAY = date(2026, 1, 1)
DAYS_PER_YEAR = 365.2425
SECONDS_PER_DAY = 86_400


class _Draws:
    """One stream of random numbers for each thing drawn: so more rows mean the same customers, and some more."""

    def __init__(self, seed: int, rows: int) -> None:
        self._streams = iter(np.random.SeedSequence(seed).spawn(64))
        self._rows = rows

    def uniform(self) -> npt.NDArray[np.float64]:
        return np.random.default_rng(next(self._streams)).random(self._rows)

    def normal(self) -> npt.NDArray[np.float64]:
        return np.random.default_rng(next(self._streams)).standard_normal(self._rows)

    def gamma(self, shape: float) -> npt.NDArray[np.float64]:
        return np.random.default_rng(next(self._streams)).standard_gamma(shape, self._rows)

    def integers(self, low: int, high: int) -> npt.NDArray[np.int64]:
        """From `low` up to, but not including, `high`."""
        drawn: npt.NDArray[np.int64] = np.floor(low + self.uniform() * (high - low)).astype(np.int64)
        return drawn


def customers(
    *, rows: int, seed: int, drift: float = 0.0, bias: float = 0.0, updated: date = REFERENCE_DAY - timedelta(days=1)
) -> pd.DataFrame:
    """The table CUSTOMERS.

    The same seed gives the same bytes, and fewer rows give the beginning of more.

    Args:
        rows: How many.
        seed: Of everything drawn.
        drift: 0 for today's customers; 1 for older, German, indebted ones with more money, who leave for other reasons.
        bias: What being a woman adds to the log-odds of leaving; 0 treats both alike, 1 differs visibly.
        updated: The day on which the bank last changed these rows.

    Raises:
        ValueError: There is to be no row, or drift is not between 0 and 1.
    """
    if rows < 1 or not 0 <= drift <= 1:
        raise ValueError(f"customers needs rows above 0 and drift from 0 to 1, got rows={rows}, drift={drift}")
    draws = _Draws(seed, rows)
    traits = _traits(draws, drift)
    ids = FIRST_CUSTOMER + np.cumsum(draws.integers(1, 400_000))
    names = np.where(
        traits["female"], np.array(FEMALE)[draws.integers(0, len(FEMALE))], np.array(MALE)[draws.integers(0, len(MALE))]
    )
    choices = surname_choices()
    surnames = choices[draws.integers(0, len(choices))]
    towns = choices[draws.integers(0, len(choices))]
    leaves = draws.uniform() < churn_probability(traits, drift=drift, bias=bias)
    return pd.DataFrame(
        {
            "CUSTOMER_ID": ids,
            "FULL_NAME": [f"{first} {last}" for first, last in zip(names.tolist(), surnames.tolist(), strict=True)],
            "ACCOUNT_NUMBER": ibans(countries=traits["country"].to_numpy(str), accounts=draws.integers(10**9, 10**10)),
            "EMAIL": emails(first_names=names, surnames=surnames, customer_ids=ids),
            "PHONE": phones(draws.integers(10**9, 10**10)),
            "ADDRESS": addresses(
                streets=draws.integers(0, 10),
                houses=draws.integers(1, 200),
                towns=towns,
                postcodes=draws.integers(1_000, 99_999),
            ),
            "DATE_OF_BIRTH": _birthdays(traits["age"].to_numpy(), draws.uniform()),
            "GENDER": np.where(traits["female"], "Female", "Male").astype(object),
            "COUNTRY": traits["country"].astype(object),
            "CREDIT_SCORE": traits["credit_score"],
            "TENURE_YEARS": traits["tenure"],
            "BALANCE": traits["balance"],
            "PRODUCTS": traits["products"],
            "HAS_CREDIT_CARD": (draws.uniform() < 0.7).astype(np.int64),
            "IS_ACTIVE": traits["active"],
            "ESTIMATED_SALARY": np.round(20_000 + draws.gamma(3.0) * 25_000, 2),
            "CHURNED": leaves.astype(np.int64),
            "UPDATED_AT": np.datetime64(updated, "s") + draws.integers(0, SECONDS_PER_DAY).astype("timedelta64[s]"),
        }
    )


def _traits(draws: _Draws, drift: float) -> pd.DataFrame:
    """What the outcome depends on, in plain numbers."""
    shares = np.array([0.50 - 0.22 * drift, 0.75 + 0.13 * drift])  # up to France, up to Germany
    country = COUNTRIES[np.searchsorted(shares, draws.uniform(), side="right")]
    holds_money = draws.uniform() < np.where(country == "Germany", 0.97, 0.52 + 0.25 * drift)
    balance = np.clip((120_000 + 30_000 * draws.normal()) * (1 + 0.5 * drift), 0, None)
    products = np.searchsorted(
        np.array([0.50, 0.955 - 0.17 * drift, 0.993 - 0.05 * drift]), draws.uniform(), side="right"
    )
    return pd.DataFrame(
        {
            "age": np.clip(18 + draws.gamma(2.9) * 9.5 + 9 * drift, 18, 95),
            "female": draws.uniform() < 0.46,
            "country": country,
            "credit_score": np.clip(np.round(650 - 55 * drift + 95 * draws.normal()), 350, 850).astype(np.int64),
            "tenure": draws.integers(0, 11),
            "balance": np.where(holds_money, np.round(balance, 2), 0.0),
            "products": 1 + products.astype(np.int64),
            "active": (draws.uniform() < 0.52).astype(np.int64),
        }
    )


def _birthdays(ages: npt.NDArray[np.float64], spread: npt.NDArray[np.float64]) -> npt.NDArray[np.object_]:
    """Days of birth of people of these ages; `spread` keeps them from falling on the reference day together."""
    days = np.floor(ages * DAYS_PER_YEAR + spread * 7).astype(np.int64)
    return (np.datetime64(REFERENCE_DAY) - days.astype("timedelta64[D]")).astype(object)
