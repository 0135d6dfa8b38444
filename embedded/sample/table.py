"""A given CSV as the source table: its columns as they are, with the types that the model declares."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline_scripts.model import parse_model

TRUTH = {"true": True, "1": True, "false": False, "0": False}


class TableRefused(Exception):
    """The file is not the table that the model declares; the message says what and how to mend it."""


def read_table(*, path: Path, model_json: dict[str, Any]) -> pd.DataFrame:
    """Read `path`, in UTF-8 with a header, in its own order of columns; an empty cell is no value.

    Raises:
        TableRefused: A column is undeclared or missing, a value has not the declared type, or it cannot be read.
    """
    kinds = {column.name: column.type for column in parse_model(model_json).columns}
    try:
        # As text first: what is read as a number at once has lost its leading zeros and signs.
        frame = pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""])
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableRefused(f"{path}: cannot be read as CSV in UTF-8: {' '.join(str(error).split())}") from error
    if strays := [name for name in frame.columns if name not in kinds]:
        raise TableRefused(f"{path}: {strays[0]}: the model does not declare this column; add it under columns")
    if missing := [name for name in kinds if name not in frame.columns]:
        raise TableRefused(f"{path}: {missing[0]}: declared in the model and missing here; remove it or mend its name")
    return pd.DataFrame({name: _typed(path, frame[name], kinds[name]) for name in frame.columns})


def _typed(path: Path, texts: Any, kind: str) -> Any:
    try:
        if kind == "date":
            return texts.map(date.fromisoformat, na_action="ignore").astype(object)
        if kind == "timestamp":
            return pd.to_datetime(texts, format="ISO8601")
        if kind == "integer":
            return texts.map(int, na_action="ignore").astype("Int64")
        if kind == "boolean":
            return texts.map(TRUTH.__getitem__, na_action="ignore").astype("boolean")
        return texts.astype("float64") if kind == "double" else texts
    except (ValueError, TypeError, KeyError, OverflowError):
        raise TableRefused(f"{path}: {texts.name}: a value is no {kind}; mend it, or its type in the model") from None
