"""Types: inferred for a whole table, or given for one column."""

from datetime import date
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    LongType,
    StringType,
    TimestampType,
)

from embedded.wrangler.choices import OperatorFailed, OperatorRefused, col, require

_TYPES: dict[str, type[DataType]] = {
    "bool": BooleanType, "date": DateType, "float": DoubleType, "long": LongType, "string": StringType,
    "datetime": TimestampType,
}  # fmt: skip
_SQL = {"bool": "boolean", "date": "date", "float": "double", "long": "bigint", "string": "string"}
_AS_IT_IS = ("array", "object", "struct")
_LOOKED_AT = 1000  # rows
_SHARE = 0.8  # of the values that must look like a type
_NULL_LIKE = ("null", "none", "nil", "na", "nan")


def infer_and_cast(table: DataFrame, learnt: Any = None) -> DataFrame:
    """Cast every column to the type that Studio has inferred, or to the one that its first texts look like."""
    schema = learnt.get("schema") if isinstance(learnt, dict) else None
    if not schema:
        return _cast_all(table, _inferred(table))
    if set(schema) != set(table.columns):
        apart = min(set(schema) ^ set(table.columns))
        raise OperatorFailed(f"trained_parameters.schema and the data set differ in column {apart!r}; infer it again")
    return _cast_all(table, schema).select(*(col(name) for name in schema))


def cast_one(
    table: DataFrame,
    column: str | list[str],
    data_type: str,
    original_data_type: str | None = None,
    non_castable_data_handling_method: str = "replace_null",
    replace_value: Any = None,
    date_formatting: str = "dd-MM-yyyy",
) -> DataFrame:
    """Cast columns; what cannot be cast becomes missing, a given value, or drops its row."""
    method = non_castable_data_handling_method
    if method not in ("replace_null", "replace_value", "drop"):
        raise OperatorRefused(f"non_castable_data_handling_method {method!r}")
    for name in column if isinstance(column, list) else [column]:
        require(table, name)
        if data_type not in _SQL:
            raise OperatorRefused(f"data_type {data_type!r}")
        if isinstance(table.schema[name].dataType, _TYPES[data_type]):
            continue
        value: Column = (
            F.to_date(col(name), date_formatting) if data_type == "date" else col(name).cast(_SQL[data_type])
        )
        if method == "replace_value":
            value = F.coalesce(value, F.lit(replace_value).cast(_SQL[data_type]))
        table = table.withColumn(name, value)
        if method == "drop":
            table = table.where(col(name).isNotNull())
    return table


def _cast_all(table: DataFrame, schema: dict[str, str]) -> DataFrame:
    for name, wanted in schema.items():
        if wanted in _AS_IT_IS:
            continue
        if wanted not in _TYPES:
            raise OperatorRefused(f"type {wanted!r} of column {name!r}")
        if isinstance(table.schema[name].dataType, _TYPES[wanted]):
            continue
        if wanted not in _SQL:
            raise OperatorRefused(f"casting {name!r} to {wanted}")
        table = table.withColumn(name, col(name).cast(_SQL[wanted]))
    return table


def _inferred(table: DataFrame) -> dict[str, str]:
    """The type of every column: that of its values in Parquet, and for text what most of it can be read as."""
    texts = [name for name in table.columns if isinstance(table.schema[name].dataType, StringType)]
    looked_at = table.select(*(col(name) for name in texts)).limit(_LOOKED_AT).toPandas() if texts else pd.DataFrame()
    schema = {name: _looks_like([*looked_at[name]]) for name in texts}
    for name in table.columns:
        kind = table.schema[name].dataType
        if name in texts or not hasattr(kind, "typeName"):
            continue
        word = kind.typeName()
        if word in ("byte", "short", "integer", "long"):
            schema[name] = "long"
        elif word in ("float", "double", "decimal"):
            schema[name] = "float"
    return {name: schema.get(name, "object") for name in table.columns}


def _looks_like(values: list[Any]) -> str:
    known = [value for value in values if value is not None and value.strip().lower() not in ("", *_NULL_LIKE)]
    if not known:
        return "string"
    numbers = [number for number in map(_number, values) if number is not None]
    if len(numbers) / len(values) > _SHARE:
        return "long" if sum(number == int(number) for number in numbers) / len(numbers) > _SHARE else "float"
    if sum(str(value).lower() in ("true", "false") for value in values) / len(values) > _SHARE:
        return "bool"
    if sum(map(_is_date, known)) / len(known) > _SHARE:
        return "date"
    times = pd.to_datetime(pd.Series(known), errors="coerce", format="mixed").notna().sum()
    return "datetime" if times / len(known) > _SHARE else "string"


def _number(value: Any) -> float | None:
    try:
        found = float(value) if "_" not in value else float("nan")
    except (TypeError, ValueError):
        return None
    return found if found - found == 0 else None


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
