"""Which rows train, which validate, and which are held out.

A row's side follows from a hash of the seed and of its identifier (the surrogate of the person it is about; else its
keyed hash; else its own content), never from its position. So the hold-out is frozen: when the data set grows, is
reordered or loses rows, every row that stays keeps its side, versions are compared on the same people, and all the rows
of one person lie on one side. The price: fractions and the share of positive outcomes are the asked ones only on
average. So the sides are checked: each must hold both outcomes (of a regression: outcomes of every quarter), and
a share of one that chance does not explain is an error, because then identifier and label are entangled.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline_scripts.analysis.frames import outcomes
from pipeline_scripts.analysis.holdout import HoldOut
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model

TRAIN, VALIDATION, HOLDOUT = "train", "validation", "holdout"
_FARTHEST_SHARE = 5.0  # standard deviations between a side's share of an outcome and the whole's


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
        JobError: A side lacks an outcome, or its share of one is out of line.
    """
    holdout = holdout_of(frame, model)
    keys = _keys(frame, holdout.key)
    place = np.array([_place(holdout.seed, key) for key in keys])
    validation_end = holdout.fraction + model.settings["training"]["validation_fraction"]
    side = np.select([place < holdout.fraction, place < validation_end], [HOLDOUT, VALIDATION], TRAIN)
    columns = [*model.inputs, model.target]
    strata = _strata(frame, model)
    for name in (TRAIN, VALIDATION, HOLDOUT):
        _check_side(name, strata[side == name], strata)
    ordered = frame.assign(_key=keys, _side=side).sort_values(["_key", *columns], kind="stable")
    return {
        name: ordered.loc[ordered["_side"] == name, columns].reset_index(drop=True)
        for name in (TRAIN, VALIDATION, HOLDOUT)
    }


def _keys(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    rows = frame[list(columns)].astype(str)
    return ["\x1f".join(row) for row in rows.itertuples(index=False)]


def _place(seed: int, key: str) -> float:
    """A number from 0 to 1 that depends on nothing but seed and key."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _strata(frame: pd.DataFrame, model: Model) -> npt.NDArray[np.int64]:
    """Which outcome a row has: of a regression, in which quarter of all outcomes its own lies."""
    found = outcomes(frame, model)
    if not model.regression:
        return found.astype(np.int64)
    return np.asarray(pd.qcut(found, 4, labels=False, duplicates="drop"), dtype=np.int64)


def _check_side(name: str, side: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> None:
    known = np.unique(whole)
    if len(np.unique(side)) < max(2, len(known)):
        wanted = "both outcomes of the label" if len(known) <= 2 else "outcomes of every quarter"
        raise JobError(f"the {name} side has {len(side)} rows, not {wanted}; the data set is too small to split")
    for stratum in known[1:] if len(known) == 2 else known:
        share, found = float((whole == stratum).mean()), float((side == stratum).mean())
        spread = math.sqrt(share * (1 - share) / len(side))
        if abs(found - share) > _FARTHEST_SHARE * spread:
            kind = "positive labels" if len(known) == 2 else f"outcomes of quarter {stratum + 1}"
            raise JobError(
                f"the {name} side has {found:.1%} {kind}, the whole {share:.1%}: more than chance explains; "
                "do rows that share an identifier also share the label?"
            )
