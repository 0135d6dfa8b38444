"""The customers of the demo: those in the bank's own table, and those who come to the endpoint."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from embedded.sample.customers import customers
from embedded.sample.drift import drifted
from embedded.sample.table import read_table

SEED = 20260101
# One seed for each group of people, so that nobody is in two of them.
BANK, QUIET, NEWCOMERS, DRIFTED = range(SEED, SEED + 4)


@dataclass(frozen=True, kw_only=True)
class Population:
    """Rows as the source table holds them.

    `bank` is there from the beginning; `newcomers` join when the bank changes; `quiet` and `drifted` ask the
    endpoint before and after that, and are in no table.
    """

    bank: pd.DataFrame
    newcomers: pd.DataFrame
    quiet: pd.DataFrame
    drifted: pd.DataFrame

    def everybody(self) -> pd.DataFrame:
        """All of them, as those whose personal data must turn up nowhere."""
        return pd.concat([self.bank, self.newcomers, self.quiet, self.drifted], ignore_index=True)


def generated(*, rows: int, traffic: int) -> Population:
    """Customers of a bank that does not exist; the change is a third as many again, from another world."""
    return Population(
        bank=customers(rows=rows, seed=BANK),
        newcomers=customers(rows=max(1, rows // 3), seed=NEWCOMERS, drift=1.0),
        quiet=customers(rows=traffic, seed=QUIET),
        drifted=customers(rows=traffic, seed=DRIFTED, drift=1.0),
    )


def from_table(path: Path, *, model_json: dict[str, Any], traffic: int) -> Population:
    """Customers from a CSV; those of the quiet and of the drifted traffic are held back from the table.

    Raises:
        TableRefused: The CSV is not what the model describes.
    """
    everybody = read_table(path=path, model_json=model_json).sample(frac=1.0, random_state=SEED, ignore_index=True)
    held_back = min(traffic, len(everybody) // 10)
    bank = everybody.iloc[2 * held_back :].reset_index(drop=True)
    key = model_json["source"]["key"]
    newcomers = bank.sample(n=max(1, len(bank) // 3), random_state=NEWCOMERS, ignore_index=True)
    return Population(
        bank=bank,
        newcomers=_with_new_keys(drifted(frame=newcomers, model_json=model_json, seed=NEWCOMERS), everybody[key], key),
        quiet=everybody.iloc[:held_back].reset_index(drop=True),
        drifted=drifted(
            frame=everybody.iloc[held_back : 2 * held_back].reset_index(drop=True), model_json=model_json, seed=DRIFTED
        ),
    )


def _with_new_keys(rows: pd.DataFrame, taken: "pd.Series[Any]", key: str) -> pd.DataFrame:
    """The rows as people who were not there before."""
    numbers = np.arange(len(rows))
    if pd.api.types.is_integer_dtype(taken):
        return rows.assign(**{key: (numbers + int(taken.max()) + 1).astype(np.int64)})
    return rows.assign(**{key: [f"{value}-{number}" for value, number in zip(rows[key], numbers, strict=True)]})
