"""Which rows train, which validate, and which are held out.

A row's side follows from a hash of the seed and of its identifier (the surrogate of the person it is about; else its
keyed hash; else its own content), never from its position. So the hold-out is frozen: when the data set grows, is
reordered or loses rows, every row that stays keeps its side, versions are compared on the same people, and all the rows
of one person lie on one side. The price: fractions and the share of positive outcomes are the asked ones only on
average. So the sides are checked: each must hold both outcomes, and a share of positives that chance does not explain
is an error, because then identifier and label are entangled.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline_scripts.analysis.frames import labels
from pipeline_scripts.analysis.holdout import HoldOut
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model

TRAIN, VALIDATION, HOLDOUT = "train", "validation", "holdout"
_FARTHEST_SHARE = 5.0  # standard deviations between a side's share of positives and the whole's


def identifier(model: Model) -> str | None:
    """The column that says whom a row is about."""
    for treatment in ("surrogate", "keyed_hash"):
        for column in model.columns:
            if column.treatment == treatment:
                return column.output
    return None


def holdout_of(frame: pd.DataFrame, model: Model) -> HoldOut:
    """What decides which rows of the frame `split` holds out."""
    training, name = model.settings["training"], identifier(model)
    known = name is not None and name in frame.columns
    return HoldOut(
        seed=training["seed"],
        fraction=training["holdout_fraction"],
        key=(str(name),) if known else (*model.inputs, model.target),
    )


def split(frame: pd.DataFrame, model: Model) -> dict[str, pd.DataFrame]:
    """Assign every row to train, validation or hold-out; within each, rows lie in an order of their own content.

    Raises:
        JobError: A side lacks an outcome, or its share of positives is out of line.
    """
    holdout = holdout_of(frame, model)
    keys = _keys(frame, holdout.key)
    place = np.array([_place(holdout.seed, key) for key in keys])
    validation_end = holdout.fraction + model.settings["training"]["validation_fraction"]
    side = np.select([place < holdout.fraction, place < validation_end], [HOLDOUT, VALIDATION], TRAIN)
    columns = [*model.inputs, model.target]
    ordered = frame.assign(_key=keys, _side=side).sort_values(["_key", *columns], kind="stable")
    sides = {
        name: ordered.loc[ordered["_side"] == name, columns].reset_index(drop=True)
        for name in (TRAIN, VALIDATION, HOLDOUT)
    }
    whole = labels(frame, model)
    for name, rows in sides.items():
        _check_side(name, labels(rows, model), whole)
    return sides


def _keys(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    rows = frame[list(columns)].astype(str)
    return ["\x1f".join(row) for row in rows.itertuples(index=False)]


def _place(seed: int, key: str) -> float:
    """A number from 0 to 1 that depends on nothing but seed and key."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _check_side(name: str, side: npt.NDArray[np.int8], whole: npt.NDArray[np.int8]) -> None:
    if len(set(side)) < 2:
        raise JobError(
            f"the {name} side has {len(side)} rows, not both outcomes of the label; the data set is too small to split"
        )
    share = float(whole.mean())
    spread = math.sqrt(share * (1 - share) / len(side))
    if abs(float(side.mean()) - share) > _FARTHEST_SHARE * spread:
        raise JobError(
            f"the {name} side has {side.mean():.1%} positive labels, the whole {share:.1%}: more than chance explains; "
            "do rows that share an identifier also share the label?"
        )
