"""A table of fifty columns for timing the ETL: eight of them personal, the others numbers and categories."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

SEED = 20260101
NUMBERS, CATEGORIES = 36, 5
TALK = (
    "called about the card payment was late asked for a new limit branch visit complaint about fees happy with service "
    "closed old account moved abroad mortgage question answered by mail will decide next month"
)
WORDS = np.array(TALK.split())


def wide_table(rows: int) -> pa.Table:
    """`rows` customers; the same rows from the same number."""
    draw = np.random.default_rng(SEED)
    ids = 700_000_000_000 + np.cumsum(draw.integers(1, 1000, rows))
    first, last = (np.array([f"{letter}{n:04d}" for n in range(4000)]) for letter in ("Given", "Family"))
    names = np.char.add(np.char.add(first[draw.integers(0, 4000, rows)], " "), last[draw.integers(0, 4000, rows)])
    text = ids.astype("U12")
    birth = np.datetime64("1940-01-01") + draw.integers(0, 24_000, rows)
    columns: dict[str, Any] = {
        "CUSTOMER_ID": ids,
        "FULL_NAME": names,
        "ACCOUNT": np.char.add("DE00", text),
        "EMAIL": np.char.add(text, "@mail.example"),
        "PHONE": np.char.add("+49", text),
        "ADDRESS": np.char.add(np.char.add("Street ", text), ", Town"),
        "BIRTH": birth,
        "POSTCODE": draw.integers(10_000, 99_999, rows).astype("U5"),
        "NOTE": notes(draw, rows),
    }
    for n in range(NUMBERS):
        columns[f"NUMBER_{n}"] = np.round(draw.normal(1000, 300, rows), 2)
    for n in range(CATEGORIES):
        columns[f"CATEGORY_{n}"] = np.array([f"kind {k}" for k in range(8)])[draw.integers(0, 8, rows)]
    return pa.table(columns)


def notes(draw: np.random.Generator, rows: int) -> list[str]:
    """A sentence of eight words a row."""
    chosen = WORDS[draw.integers(0, len(WORDS), (rows, 8))]
    return [" ".join(words) for words in chosen.tolist()]


def specification(*, treated: bool) -> dict[str, Any]:
    """The columns of the table for a model: each with its treatment, or all of them kept."""
    columns: dict[str, Any] = {
        "CUSTOMER_ID": {"type": "integer", "treatment": "surrogate", "output": "customer_ref"},
        "FULL_NAME": {"type": "string", "treatment": "drop"},
        "ACCOUNT": {"type": "string", "treatment": "keyed_hash", "output": "account_hash"},
        "EMAIL": {"type": "string", "treatment": "keyed_hash", "output": "email_hash"},
        "PHONE": {"type": "string", "treatment": "keyed_hash", "output": "phone_hash"},
        "ADDRESS": {"type": "string", "treatment": "drop"},
        "BIRTH": {"type": "date", "treatment": "generalise", "output": "age_group", "bands": [18, 30, 40, 50, 60, 70]},
        "POSTCODE": {"type": "string", "treatment": "generalise", "output": "region", "prefix": 2},
        "NOTE": {"type": "string", "treatment": "keep", "output": "note", "free_text": True},
    }
    columns |= {f"NUMBER_{n}": {"type": "double", "treatment": "keep", "output": f"number_{n}"} for n in range(NUMBERS)}
    columns |= {
        f"CATEGORY_{n}": {"type": "string", "treatment": "keep", "output": f"category_{n}"} for n in range(CATEGORIES)
    }
    if treated:
        return columns
    return {
        name: {"type": column["type"], "treatment": "keep", "output": name.lower()} for name, column in columns.items()
    }


def write_csv(rows: int, path: Path) -> None:
    """The table as a CSV with a header."""
    csv.write_csv(wide_table(rows), path)
