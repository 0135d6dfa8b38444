"""The customers of the demo: those in the bank's own table, and those who come to the endpoint."""

import itertools
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from embedded.sample.customers import REFERENCE_DAY, customers
from embedded.sample.drift import drifted
from embedded.sample.table import read_table

SEED = 20260101
# One seed for each group of people, so that nobody is in two of them.
BANK, QUIET, NEWCOMERS, DRIFTED = range(SEED, SEED + 4)


@dataclass(frozen=True, kw_only=True)
class Population:
    """Rows as the source table holds them.

    `bank` is there from the beginning; `newcomers` join when the bank changes; `quiet` and `drifted` ask the
    endpoint before and after that, and are in no table. `as_of` is the day on which their ages are counted, for
    people made for a certain day.
    """

    bank: pd.DataFrame
    newcomers: pd.DataFrame
    quiet: pd.DataFrame
    drifted: pd.DataFrame
    as_of: date | None = None

    def everybody(self) -> pd.DataFrame:
        """All of them, as those whose personal data must turn up nowhere."""
        return pd.concat([self.bank, self.newcomers, self.quiet, self.drifted], ignore_index=True)


def generated(*, rows: int, traffic: int) -> Population:
    """Customers of a bank that does not exist; the change is a third as many again, from another world."""
    return Population(
        bank=customers(rows=rows, seed=BANK),
        newcomers=customers(rows=max(1, rows // 3), seed=NEWCOMERS, drift=1.0, updated=REFERENCE_DAY),
        quiet=customers(rows=traffic, seed=QUIET),
        drifted=customers(rows=traffic, seed=DRIFTED, drift=1.0),
        as_of=REFERENCE_DAY,
    )


def from_table(path: Path, *, model_json: dict[str, Any], traffic: int) -> Population:
    """Customers from a CSV, each in one group only: a tenth joins later, and some only ask the endpoint.

    The newcomers differ in their amounts alone: whatever else they are must go on telling who leaves, or no
    retraining could learn it. Those who ask after the change differ in everything.

    Raises:
        TableRefused: The CSV is not what the model describes.
    """
    everybody = read_table(path=path, model_json=model_json).sample(frac=1.0, random_state=SEED, ignore_index=True)
    asking, joining = min(traffic, len(everybody) // 10), len(everybody) // 10
    ends = np.cumsum([asking, asking, joining])
    quiet, changed, newcomers, bank = (
        everybody.iloc[start:end].reset_index(drop=True)
        for start, end in itertools.pairwise([0, *ends.tolist(), len(everybody)])
    )
    moved = drifted(frame=newcomers, model_json=model_json, seed=NEWCOMERS)
    amounts = [name for name, column in model_json["columns"].items() if column["type"] == "double"]
    return Population(
        bank=bank,
        newcomers=newcomers.assign(**{name: moved[name] for name in amounts}),
        quiet=quiet,
        drifted=drifted(frame=changed, model_json=model_json, seed=DRIFTED),
    )
