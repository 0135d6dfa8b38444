"""Statistics and constraints of raw inputs, in Model Monitor's formats, computed by DuckDB.

A numeric column keeps ten buckets of equal width and a sketch: its sorted values, halved by keeping every second one
(of twice the weight) until at most `k` remain. That is a KLL sketch compacted from the bottom, and exact while the
column has at most `k` values; `data[level]` holds the values that stand for 2**level rows each.
"""

from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline_scripts.model import Model

SKETCH_SIZE = 2048
_BUCKETS = 10
_MOST_DOMAINS = 100  # a text column with more values than this has no domain worth checking
_INFERRED = {"integer": "Integral", "boolean": "Integral", "double": "Fractional", "string": "String"}


def column_statistics(frame: pd.DataFrame, model: Model) -> dict[str, Any]:
    """The content of statistics.json for typed columns."""
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")  # sums in one order: the same bytes every time
        connection.register("frame", frame)
        connection.execute("CREATE TABLE rows AS SELECT * FROM frame")
        features = [_describe(connection, str(name), model.kind(str(name))) for name in frame.columns]
    return {"version": 0.0, "dataset": {"item_count": len(frame)}, "features": features}


def _describe(connection: duckdb.DuckDBPyConnection, name: str, kind: str) -> dict[str, Any]:
    column = '"' + name.replace('"', '""') + '"'
    if kind == "string":
        return {"name": name, "inferred_type": "String", "string_statistics": _text(connection, column)}
    return {"name": name, "inferred_type": _INFERRED[kind], "numerical_statistics": _numbers(connection, column)}


def _text(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, Any]:
    counts = connection.execute(
        f"SELECT {column}::VARCHAR AS value, count(*) FROM rows GROUP BY value ORDER BY count(*) DESC, value"
    ).fetchall()
    present = [(value, count) for value, count in counts if value is not None]
    missing = sum(count for value, count in counts if value is None)
    return {
        "common": {"num_present": sum(count for _, count in present), "num_missing": missing},
        "distinct_count": float(len(present)),
        "distribution": {"categorical": {"buckets": [{"value": value, "count": count} for value, count in present]}},
    }


def _numbers(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, Any]:
    value = f"SELECT nullif({column}::DOUBLE, 'NaN'::DOUBLE) AS v FROM rows"
    present, rows, mean, total, deviation = connection.execute(
        f"SELECT count(v), count(*), avg(v), sum(v), stddev_pop(v) FROM ({value})"
    ).fetchall()[0]
    sorted_values = f"SELECT v FROM ({value}) WHERE v IS NOT NULL ORDER BY v"
    ordered = np.asarray(connection.execute(sorted_values).fetchnumpy()["v"], dtype=np.float64)
    statistics = {
        "common": {"num_present": present, "num_missing": rows - present},
        "mean": mean,
        "sum": total,
        "std_dev": deviation,
        "min": float(ordered[0]) if present else None,
        "max": float(ordered[-1]) if present else None,
    }
    if present:
        sketch = {"parameters": {"c": 0.64, "k": SKETCH_SIZE}, "data": compacted(ordered)}
        statistics["distribution"] = {"kll": {"buckets": _buckets(ordered), "sketch": sketch}}
    return statistics


def _buckets(ordered: npt.NDArray[np.float64]) -> list[dict[str, Any]]:
    counts, edges = np.histogram(ordered, bins=_BUCKETS)
    return [
        {"lower_bound": float(low), "upper_bound": float(high), "count": int(count)}
        for (low, high), count in zip(pairwise(edges), counts, strict=True)
    ]


def compacted(ordered: npt.NDArray[np.float64], *, size: int = SKETCH_SIZE) -> list[list[float]]:
    """Sorted values as the levels of a sketch."""
    levels: list[list[float]] = []
    while len(ordered) > size:
        odd = len(ordered) % 2
        levels.append(ordered[-1:].tolist() if odd else [])
        ordered = ordered[len(levels) % 2 : len(ordered) - odd : 2]  # alternately the lower and the upper of each pair
    return [*levels, ordered.tolist()]


def column_constraints(statistics: dict[str, Any], model: Model) -> dict[str, Any]:
    """The content of constraints.json, suggested from the baseline's statistics."""
    threshold = model.settings["monitoring"]["drift_distance"]
    return {
        "version": 0.0,
        "features": [_constrain(feature) for feature in statistics["features"]],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 0.1,
            "domain_content_threshold": 0.1,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": threshold,
                "comparison_method": "Robust",
                "categorical_comparison_threshold": threshold,
                "categorical_drift_method": "LInfinity",
            },
        },
    }


def _constrain(feature: dict[str, Any]) -> dict[str, Any]:
    details = feature.get("string_statistics") or feature["numerical_statistics"]
    common = details["common"]
    constraint: dict[str, Any] = {
        "name": feature["name"],
        "inferred_type": feature["inferred_type"],
        "completeness": common["num_present"] / max(1, common["num_present"] + common["num_missing"]),
    }
    if "string_statistics" not in feature:
        constraint["num_constraints"] = {"is_non_negative": details["min"] is not None and details["min"] >= 0}
    elif details["distinct_count"] <= _MOST_DOMAINS:
        domains = [bucket["value"] for bucket in details["distribution"]["categorical"]["buckets"]]
        constraint["string_constraints"] = {"domains": sorted(domains)}
    return constraint
