"""Boosted trees as tables, in numpy: the price of XGBoost is that of calling it, so for some rows this is faster.

A tree has a bit a leaf, from left to right. A comparison that sends a row right rules out the leaves on its left; of
those that remain in the end, the first is the row's. The thresholds of a column are in order, so what a value rules out
in all trees at once is one line of a table, found by how many thresholds the value has reached. (C. Lucchese et al.,
QuickScorer, SIGIR 2015.) Comparisons and sums are of 32 bits and in XGBoost's own order, so margins are the same to the
last bit. Trees of a kind that is not known here, and those whose tables would be large, are left to XGBoost.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline_scripts.serving.transformer import Matrix

_Floats = npt.NDArray[np.float32]
_Integers = npt.NDArray[np.int64]
_LARGEST_EXPONENT = 88.7  # e to the power of more is infinite in 32 bits
_LARGEST_TABLE = 32 * 1024 * 1024  # bytes, of each worker
_EXPONENT, _BIAS = 52, 1023  # where a 64-bit number keeps the power of two, and what is added to it


@dataclass(frozen=True, kw_only=True)
class TreeTables:
    """The trees of a model.

    `columns` are those of the matrix that some tree looks at. Each has its `thresholds`, in order, and from its place
    in `starts` on its lines in `remaining`: the leaves that remain, a tree each. `leaves` are the values of all leaves,
    those of a tree from its place in `firsts` on, less what a 64-bit number adds to its exponent.
    """

    columns: tuple[int, ...]
    thresholds: tuple[_Floats, ...]
    starts: _Integers
    remaining: npt.NDArray[Any]
    leaves: _Floats
    firsts: _Integers
    base: np.float32
    logistic: bool

    @property
    def bytes_a_row(self) -> int:
        """What has to be read for a row."""
        return len(self.columns) * int(self.remaining[0].nbytes)

    def answers(self, matrix: Matrix) -> _Floats:
        """The answer of every row; none of its values may be missing."""
        margins = self.margins(matrix)
        return _probabilities(margins) if self.logistic else margins

    def margins(self, matrix: Matrix) -> _Floats:
        """The sum of the leaves of every row, from the base on."""
        lines = np.empty((len(matrix), len(self.columns)), dtype=np.int64)
        for place, (column, thresholds) in enumerate(zip(self.columns, self.thresholds, strict=True)):
            lines[:, place] = thresholds.searchsorted(matrix[:, column], side="right")
        lines += self.starts
        remaining = np.bitwise_and.reduce(self.remaining.take(lines, axis=0), axis=1)
        first = (remaining & -remaining).astype(np.float64)  # a power of two, whose exponent is the place of the leaf
        sums = np.empty((len(matrix), len(self.firsts) + 1), dtype=np.float32)
        sums[:, 0] = self.base
        sums[:, 1:] = self.leaves.take((first.view(np.int64) >> _EXPONENT) + self.firsts)
        margins: _Floats = np.add.accumulate(sums, axis=1)[:, -1]
        return margins


@dataclass(frozen=True, kw_only=True)
class _Split:
    tree: int
    column: int
    threshold: np.float32
    left_leaves: int  # as bits


def read_tables(content: Mapping[str, Any]) -> TreeTables | None:
    """The tables of a model in XGBoost's JSON; None where they would not be the model, or too large."""
    learner = content["learner"]
    objective, booster = learner["objective"]["name"], learner["gradient_booster"]
    if booster["name"] != "gbtree" or objective not in ("binary:logistic", "reg:squarederror"):
        return None
    trees = booster["model"]["trees"]
    most = max((tree["left_children"].count(-1) for tree in trees), default=0)
    if not 0 < most <= 64 or not all(map(_plain, trees)):
        return None
    leaves = np.zeros((len(trees), most), dtype=np.float32)
    splits = [split for place, tree in enumerate(trees) for split in _splits(tree, place, leaves[place])]
    columns = tuple(sorted({split.column for split in splits}))
    thresholds = tuple(_thresholds(splits, column) for column in columns)
    kind = next(kind for kind in (np.uint16, np.uint32, np.uint64) if np.iinfo(kind).bits >= most)
    if not columns or _lines(thresholds).sum() * len(trees) * np.iinfo(kind).bits // 8 > _LARGEST_TABLE:
        return None
    logistic = objective == "binary:logistic"
    return TreeTables(
        columns=columns,
        thresholds=thresholds,
        starts=np.cumsum(_lines(thresholds)) - _lines(thresholds),
        remaining=np.concatenate(
            [
                _remaining(values, [split for split in splits if split.column == column], len(trees), kind)
                for column, values in zip(columns, thresholds, strict=True)
            ]
        ),
        leaves=leaves.ravel(),
        firsts=np.arange(len(trees), dtype=np.int64) * most - _BIAS,
        base=_base_margin(learner["learner_model_param"]["base_score"], logistic=logistic),
        logistic=logistic,
    )


def _plain(tree: Mapping[str, Any]) -> bool:
    """Whether its splits are all of numbers and its leaves of one value."""
    return not any(tree["split_type"]) and tree["tree_param"]["size_leaf_vector"] in ("0", "1")


def _splits(tree: Mapping[str, Any], place: int, leaves: _Floats) -> Iterator[_Split]:
    """The comparisons of a tree, its leaves on the way: their values are written into `leaves`, from left to right."""
    below, found = [0] * len(tree["left_children"]), 0
    for node in _leaves_first(tree["left_children"], tree["right_children"]):
        left, right = tree["left_children"][node], tree["right_children"][node]
        condition = np.float32(tree["split_conditions"][node])  # the threshold of a split, the value of a leaf
        if left < 0:
            leaves[found] = condition
            below[node], found = 1 << found, found + 1
        else:
            below[node] = below[left] | below[right]
            column = tree["split_indices"][node]
            yield _Split(tree=place, column=column, threshold=condition, left_leaves=below[left])


def _leaves_first(left: Sequence[int], right: Sequence[int]) -> list[int]:
    """Every node after its children, and what is left before what is right."""
    order, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        order.append(node)
        if left[node] >= 0:
            waiting += [left[node], right[node]]
    return order[::-1]


def _thresholds(splits: Sequence[_Split], column: int) -> _Floats:
    return np.unique(np.array([split.threshold for split in splits if split.column == column], dtype=np.float32))


def _lines(thresholds: Sequence[_Floats]) -> _Integers:
    """How many lines each column has: one more than thresholds."""
    return np.array([len(values) + 1 for values in thresholds], dtype=np.int64)


def _remaining(thresholds: _Floats, splits: Sequence[_Split], trees: int, kind: type) -> npt.NDArray[Any]:
    """The leaves that remain in every tree when none, one, two … of the thresholds have been reached."""
    every = int(np.iinfo(kind).max)
    table: npt.NDArray[Any] = np.full((len(thresholds) + 1, trees), every, dtype=kind)
    lines = thresholds.searchsorted(np.array([split.threshold for split in splits], dtype=np.float32)) + 1
    for line, split in zip(lines, splits, strict=True):
        table[line, split.tree] &= kind(every ^ split.left_leaves)
    return np.asarray(np.bitwise_and.accumulate(table, axis=0), dtype=kind)


def _base_margin(base_score: str, *, logistic: bool) -> np.float32:
    """Where the sums begin; newer versions of XGBoost write the number in brackets."""
    base = np.float32(base_score.strip("[]"))
    return np.float32(-np.log(np.float32(1) / base - np.float32(1))) if logistic else base


def _probabilities(margins: _Floats) -> _Floats:
    """The logistic function as XGBoost rounds it: a 32-bit exponential, which 64 bits compute exactly enough."""
    exponents = np.minimum(-margins, _LARGEST_EXPONENT).astype(np.float64)
    probabilities: _Floats = np.float32(1) / (np.exp(exponents).astype(np.float32) + np.float32(1))
    return probabilities
