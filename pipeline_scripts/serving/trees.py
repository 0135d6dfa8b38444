"""Boosted trees, walked in numpy: the price of XGBoost is that of calling it, so for a few rows this is faster.

All trees go down a level at once. Comparisons and sums are of 32 bits and in XGBoost's own order, so the margins are
the same to the last bit. Trees of a kind that is not known here are left to XGBoost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline_scripts.serving.transformer import Matrix

_Floats = npt.NDArray[np.float32]
_Places = npt.NDArray[np.intp]
_LARGEST_EXPONENT = 88.7  # e to the power of more is infinite in 32 bits


@dataclass(frozen=True, kw_only=True)
class TreeWalk:
    """The nodes of all trees in one row of arrays.

    The right child stands after the left one. A leaf is its own left child and its threshold is beyond every value, so
    a walk that has arrived stays.
    """

    roots: _Places
    features: _Places
    thresholds: _Floats
    left: _Places
    leaves: _Floats
    depth: int
    base: np.float32
    logistic: bool

    @property
    def steps(self) -> int:
        """The comparisons that a row takes."""
        return len(self.roots) * self.depth

    def answers(self, matrix: Matrix) -> _Floats:
        """The answer of every row; none of its values may be missing or infinite."""
        rows, columns = matrix.shape
        values = matrix.ravel()
        starts = np.arange(0, rows * columns, columns)[:, np.newaxis]
        nodes = np.broadcast_to(self.roots, (rows, len(self.roots)))
        for _ in range(self.depth):
            right = values.take(self.features.take(nodes) + starts) >= self.thresholds.take(nodes)
            nodes = self.left.take(nodes) + right
        sums = np.empty((rows, len(self.roots) + 1), dtype=np.float32)
        sums[:, 0] = self.base
        sums[:, 1:] = self.leaves.take(nodes)
        margins: _Floats = np.add.accumulate(sums, axis=1)[:, -1]
        return _probabilities(margins) if self.logistic else margins


def read_walk(content: Mapping[str, Any]) -> TreeWalk | None:
    """The walk of a model in XGBoost's JSON; None where its trees or its objective are of another kind."""
    learner = content["learner"]
    objective, booster = learner["objective"]["name"], learner["gradient_booster"]
    if booster["name"] != "gbtree" or objective not in ("binary:logistic", "reg:squarederror"):
        return None
    trees = booster["model"]["trees"]
    if not trees or not all(map(_plain, trees)):
        return None
    logistic = objective == "binary:logistic"
    sizes = [len(tree["left_children"]) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]], dtype=np.intp)
    children = _joined(trees, "left_children", np.intp)
    inner = children >= 0
    conditions = _joined(trees, "split_conditions", np.float32)  # the threshold of a node, the value of a leaf
    return TreeWalk(
        roots=roots,
        features=np.where(inner, _joined(trees, "split_indices", np.intp), 0),
        thresholds=np.where(inner, conditions, np.float32(np.inf)),
        left=np.where(inner, children + np.repeat(roots, sizes), np.arange(len(children))),
        leaves=np.where(inner, np.float32(0), conditions),
        depth=max(_depth(tree["left_children"]) for tree in trees),
        base=_base_margin(learner["learner_model_param"]["base_score"], logistic=logistic),
        logistic=logistic,
    )


def _plain(tree: Mapping[str, Any]) -> bool:
    """Whether its splits are all of numbers, its leaves of one value, and its children side by side."""
    beside = all(r in (left + 1, -1) for left, r in zip(tree["left_children"], tree["right_children"], strict=True))
    return beside and not any(tree["split_type"]) and tree["tree_param"]["size_leaf_vector"] in ("0", "1")


def _joined(trees: Sequence[Mapping[str, Any]], key: str, kind: type) -> npt.NDArray[Any]:
    return np.concatenate([np.asarray(tree[key], dtype=kind) for tree in trees])


def _depth(children: Sequence[int]) -> int:
    """How many comparisons lead to the deepest leaf; a child stands after its parent."""
    depths = [0] * len(children)
    for node, left in enumerate(children):
        if left >= 0:
            depths[left] = depths[left + 1] = depths[node] + 1
    return max(depths)


def _base_margin(base_score: str, *, logistic: bool) -> np.float32:
    """Where the sums begin; newer versions of XGBoost write the number in brackets."""
    base = np.float32(base_score.strip("[]"))
    return np.float32(-np.log(np.float32(1) / base - np.float32(1))) if logistic else base


def _probabilities(margins: _Floats) -> _Floats:
    """The logistic function as XGBoost rounds it: a 32-bit exponential, which 64 bits compute exactly enough."""
    exponents = np.minimum(-margins, _LARGEST_EXPONENT).astype(np.float64)
    probabilities: _Floats = np.float32(1) / (np.exp(exponents).astype(np.float32) + np.float32(1))
    return probabilities
