"""A feature's distribution, rebuilt from the statistics that baselines and monitors keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

BINS = 14


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One feature in several data sets, over the same bins or categories: shares that add up to 1 in each."""

    feature: str
    labels: tuple[str, ...]
    shares: dict[str, tuple[float, ...]]


def compare(statistics: Mapping[str, Mapping[str, Any]]) -> list[Distribution]:
    """Every feature of several statistics.json, made comparable.

    Args:
        statistics: The files' contents by the name of what they describe, the baseline first.
    """
    names, files = list(statistics), list(statistics.values())
    tables = [{feature["name"]: feature for feature in file["features"]} for file in files]
    return [
        _distribution(name, dict(zip(names, (table[name] for table in tables), strict=True)))
        for name in tables[0]
        if all(name in table for table in tables)
    ]


def _distribution(name: str, features: Mapping[str, Mapping[str, Any]]) -> Distribution:
    if all("string_statistics" in feature for feature in features.values()):
        counts = {key: _categories(feature) for key, feature in features.items()}
        labels = tuple(_in_order({label for table in counts.values() for label in table}))
        shares = {key: _shares([table.get(label, 0.0) for label in labels]) for key, table in counts.items()}
        return Distribution(feature=name, labels=labels, shares=shares)
    sketches = {key: _sketch(feature) for key, feature in features.items()}
    edges = _edges([values for values, _ in sketches.values()])
    return Distribution(
        feature=name,
        labels=tuple(_short(low) for low in edges[:-1]),
        shares={
            key: _shares(list(np.histogram(values, bins=edges, weights=weights)[0]))
            for key, (values, weights) in sketches.items()
        },
    )


def _categories(feature: Mapping[str, Any]) -> dict[str, float]:
    buckets = feature["string_statistics"]["distribution"]["categorical"]["buckets"]
    return {str(bucket["value"]): float(bucket["count"]) for bucket in buckets}


def _sketch(feature: Mapping[str, Any]) -> tuple[Any, Any]:
    """The values a KLL sketch kept, and how many rows each stands for."""
    levels = feature["numerical_statistics"].get("distribution", {}).get("kll", {}).get("sketch", {}).get("data", [])
    values = np.array([value for level in levels for value in level], dtype=float)
    weights = np.array([2.0**height for height, level in enumerate(levels) for _ in level])
    return values, weights


def _edges(samples: Sequence[Any]) -> Any:
    """Bins for all samples: one for each value where these are few whole numbers, else of equal width."""
    together = np.concatenate(samples)
    if not len(together):
        return np.array([0.0, 1.0])
    low, high = float(together.min()), float(together.max())
    if high - low <= BINS and bool((together == np.round(together)).all()):
        return np.arange(low, high + 2)
    step = _round_up((high - low) / BINS)
    first, last = np.floor(low / step), np.ceil(high / step)
    return np.arange(first, last + 1) * step


def _round_up(step: float) -> float:
    """The next of 1, 2, 2.5, 5, 10 times a power of ten, so that the bins' edges read well."""
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * 0.999))


def _short(value: float) -> str:
    """A bin's lower edge, thousands as k."""
    return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:g}"


def _shares(counts: Sequence[float]) -> tuple[float, ...]:
    total = sum(counts) or 1.0
    return tuple(float(count) / total for count in counts)


def _in_order(labels: set[str]) -> list[str]:
    """Bands in the order of their numbers (`<18` first), other words alphabetically."""

    def place(label: str) -> tuple[float, str]:
        digits = "".join(char for char in label.split("-")[0] if char.isdigit())
        return (float(digits) if digits else 0.0) - (0.5 if label.startswith("<") else 0.0), label

    return sorted(labels, key=place)
