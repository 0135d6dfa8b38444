"""Recognising the personal values of a source wherever they turn up.

How a value is looked for depends on how easily it turns up by chance:

* texts of 8 bytes and more: anywhere, at any offset, inside anything;
* texts of 6 and 7 characters: as a whole word;
* shorter texts: as a whole cell, between delimiters (for a customer may be called `Close`, and comments close files);
* texts of any length that are also words of the software (a customer may be called `Jensen`, and a metric is the
  Jensen-Shannon divergence): as a whole cell;
* numbers of at least 6 digits: as a whole number; smaller ones say nothing, for every count would match.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

WINDOW = 8
WORD_LENGTH = 6
CELL_LENGTH = 2
NUMBER_DIGITS = 6
# A table of this many bits sorts out nearly every place of a text that no value starts at.
TABLE_BITS = 24
# Knuth's multiplicative hash: spreads neighbouring keys over the table.
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

DELIMITERS = re.compile(r"[,;|\t\n\r\"'=:{}\[\]()<>\x00]+")
WORDS = re.compile(r"\b\w{6,7}\b")
NUMBERS = re.compile(r"(?<![\w.])(\d{6,})(?:\.0+)?(?!\w)(?!\.\d)")
# Random identifiers hold runs of digits that stand for nobody.
UUIDS = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")

SEARCHED_TREATMENTS = ("drop", "keyed_hash", "surrogate", "generalise")


@dataclass(frozen=True)
class Kinds:
    """The values to look for, by how each is looked for."""

    anywhere: frozenset[str]
    words: frozenset[str]
    cells: frozenset[str]
    numbers: frozenset[str]


class PersonalValues:
    """The personal values of a source table.

    Args:
        columns: The model's `columns` section: name → treatment and type.
        rows: The source's rows.
        software: What the software that writes the zones says by itself.
    """

    def __init__(
        self, columns: Mapping[str, Mapping[str, Any]], rows: pd.DataFrame, *, software: Iterable[bytes] = ()
    ) -> None:
        personal = [name for name, column in columns.items() if column["treatment"] in SEARCHED_TREATMENTS]
        self.column_of: dict[str, str] = {}
        self._by_start: dict[int, list[bytes]] = defaultdict(list)
        for name in personal:
            for value in rows[name].dropna().unique():
                self.column_of.setdefault(str(value), name)
        self.kinds = _sort(self.column_of)
        self.left_out = len(self.column_of) - len(set().union(*vars(self.kinds).values()))
        self._index()
        self._heed(set[str]().union(*map(self.within, software)))

    def _index(self) -> None:
        """Prepare the search for the values that are looked for anywhere."""
        self._by_start.clear()
        for value in self.kinds.anywhere:
            encoded = value.encode()
            self._by_start[int.from_bytes(encoded[:WINDOW], "little")].append(encoded)
        self._starts = np.array(sorted(self._by_start), dtype=np.uint64)
        self._table = np.zeros(1 << TABLE_BITS, dtype=bool)
        self._table[_slot(self._starts)] = True

    def _heed(self, words: set[str]) -> None:
        """Look for the software's own words as whole cells only."""
        texts = (self.kinds.anywhere | self.kinds.words) & words
        self.kinds = Kinds(
            anywhere=self.kinds.anywhere - texts,
            words=self.kinds.words - texts,
            cells=self.kinds.cells | texts,
            numbers=self.kinds.numbers,
        )
        self._index()

    def __len__(self) -> int:
        """How many distinct values are looked for."""
        return len(self.column_of) - self.left_out

    def within(self, content: bytes) -> set[str]:
        """The values that occur in a content."""
        text = UUIDS.sub(" ", content.decode("utf-8", errors="replace"))
        found = set(self.kinds.cells.intersection(cell.strip() for cell in DELIMITERS.split(text)))
        found |= self.kinds.words.intersection(WORDS.findall(text))
        found |= self.kinds.numbers.intersection(NUMBERS.findall(text))
        return found | self._anywhere(content)

    def _anywhere(self, content: bytes) -> set[str]:
        found = set()
        for offset in range(WINDOW):
            count = (len(content) - offset) // WINDOW
            if count <= 0 or not len(self._starts):
                break
            windows = np.frombuffer(content, dtype="<u8", count=count, offset=offset)
            likely = np.flatnonzero(self._table[_slot(windows)])
            for index in likely[np.isin(windows[likely], self._starts)]:
                at = int(index) * WINDOW + offset
                for value in self._by_start[int(windows[index])]:
                    if content.startswith(value, at):
                        found.add(value.decode())
        return found


def _slot(windows: Any) -> Any:
    return (windows * MULTIPLIER) >> np.uint64(64 - TABLE_BITS)


def _sort(values: Iterable[str]) -> Kinds:
    kinds: dict[str, set[str]] = {"anywhere": set(), "words": set(), "cells": set(), "numbers": set()}
    for value in values:
        if re.fullmatch(r"[\d.]+", value):
            if len(value) >= NUMBER_DIGITS and value.isdigit():
                kinds["numbers"].add(value)
        elif len(value.encode()) >= WINDOW:
            kinds["anywhere"].add(value)
        elif len(value) >= WORD_LENGTH and value.isalnum():
            kinds["words"].add(value)
        elif len(value) >= CELL_LENGTH:
            kinds["cells"].add(value)
    return Kinds(**{name: frozenset(found) for name, found in kinds.items()})
