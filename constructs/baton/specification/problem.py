"""What a model is asked: the keys that only one kind of problem has, those it must have, and what they are by default.

A probability has a threshold, a calibration and a ranking to judge; a number has errors in its own unit. So a model's
file is checked as it was written, before anything reads it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Problem = Literal["binary_classification", "regression"]


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key of one kind of problem. Without a `default` it is left out unless it is `needed`."""

    section: str
    name: str
    needed: bool = False
    default: float | None = None


KEYS: Mapping[str, tuple[Key, ...]] = {
    "binary_classification": (
        Key(section="target", name="positive", needed=True),
        Key(section="training", name="calibration"),
        Key(section="training", name="costs"),
        Key(section="gate", name="min_auc", needed=True),
        Key(section="serving", name="threshold", default=0.5),
        Key(section="monitoring", name="max_auc_loss", default=0.05),
    ),
    "regression": (
        Key(section="target", name="favourable_above", needed=True),
        Key(section="gate", name="min_r2", needed=True),
        Key(section="gate", name="max_rmse"),
        Key(section="monitoring", name="max_rmse_increase", default=0.2),
    ),
}

ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    "binary_classification": ("xgboost", "logistic_regression"),
    "regression": ("xgboost", "linear_regression"),
}

_SAYS_NOTHING = (None, "none")  # a specification that was written out holds every key


def of_its_problem(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content of a model's file with the defaults of its problem.

    Raises:
        ValueError: A key belongs to another problem, or one is missing.
    """
    problem = content.get("problem")
    if not isinstance(problem, str) or problem not in KEYS:
        return content  # refused where the key itself is checked
    for other, keys in KEYS.items():
        for key, section in _written(content, keys):
            if other != problem and section.get(key.name) not in _SAYS_NOTHING:
                raise ValueError(f"{key.section}.{key.name}: only a {other} has it, and this is a {problem}; remove it")
    _check_algorithm(problem, content.get("training"))
    completed = dict(content)
    for key, section in _written(content, KEYS[problem]):
        if key.needed and section.get(key.name) is None:
            raise ValueError(f"{key.section}.{key.name}: a {problem} needs it, and it is missing")
        if key.default is not None:
            given = section.get(key.name)
            completed[key.section] = {**completed[key.section], key.name: key.default if given is None else given}
    return completed


def _written(content: Mapping[str, Any], keys: tuple[Key, ...]) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    for key in keys:
        section = content.get(key.section)
        if isinstance(section, Mapping):
            yield key, section


def _check_algorithm(problem: str, training: Any) -> None:
    algorithm = training.get("algorithm") if isinstance(training, Mapping) else None
    known = [name for names in ALGORITHMS.values() for name in names]  # another one is refused where it is read
    if algorithm in known and algorithm not in ALGORITHMS[problem]:
        fitting = " or ".join(ALGORITHMS[problem])
        raise ValueError(f"training.algorithm: {algorithm} does not answer a {problem}; take {fitting}")
