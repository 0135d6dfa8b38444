"""Columns are judged at once where nothing in them is odd; that must never differ from judging value by value."""

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline_scripts.serving.errors import RequestError
from pipeline_scripts.serving.signature import Input
from pipeline_scripts.serving.values import checked

NUMBERS = (
    st.integers()
    | st.floats()
    | st.booleans()
    | st.sampled_from(["5", "5.0", " 7", "-3", "1e3", "1e39", "1_0", "٣", "nan", "inf", "x", "", "true", "False"])
    | st.integers().map(str)
    | st.floats(allow_nan=False).map(str)
)


def item(kind: str) -> Input:
    return Input(name="amount", type=kind, feature=True, categories=None)


def one_by_one(values: list[Any], kind: str) -> list[Any] | None:
    """Beside a missing value no column is judged at once."""
    try:
        return [checked([value, None], item(kind))[0] for value in values]
    except RequestError:
        return None


@example(values=[2**53 + 1], kind="integer")
@example(values=[str(2**53 + 1)], kind="integer")
@given(values=st.lists(NUMBERS, min_size=1, max_size=5), kind=st.sampled_from(["integer", "double", "boolean"]))
def test_a_column_is_what_its_values_are(values: list[Any], kind: str) -> None:
    expected = one_by_one(values, kind)
    try:
        assert list(checked(values, item(kind))) == expected
    except RequestError as error:
        assert expected is None and "'amount' must be" in str(error)


@pytest.mark.parametrize("value", [1e39, "1e39", 10**39, -1e39, math.inf, math.nan, "nan", "-inf", 10**400])
@pytest.mark.parametrize("others", [[], [None], [1.5, 2]])
def test_a_number_that_32_bits_do_not_hold_is_refused(value: Any, others: list[Any]) -> None:
    with pytest.raises(RequestError, match=f"row {len(others) + 1}: 'amount' must be a finite number"):
        checked([*others, value], item("double"))


@pytest.mark.parametrize(("value", "read"), [("true", 1.0), (False, 0.0), ("1", 1), (0.0, 0.0), ("2", None), (7, None)])
def test_a_boolean_is_true_false_1_or_0(value: Any, read: float | None) -> None:
    if read is None:
        with pytest.raises(RequestError, match="must be true, false, 1 or 0"):
            checked([value], item("boolean"))
    else:
        assert checked([value], item("boolean")) == [read]


def test_the_row_and_the_value_are_named() -> None:
    with pytest.raises(RequestError, match=r"row 3: 'amount' must be a whole number, got '2\.5'"):
        checked(["1", "2", "2.5", "x"], item("integer"))
