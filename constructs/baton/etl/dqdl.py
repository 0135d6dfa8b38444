"""Quality rules in the language of Glue Data Quality (DQDL), each meaning exactly what it means before publication.

A rule type of DQDL is used where its documented meaning is that of our rule. Where it is not, the rule counts in SQL:

- `ColumnValues` with a bound fails on a missing value, `between` leaves out its own bounds, and a composite of rules
  is put together from whole columns, not from rows. So ranges are SQL.
- `IsUnique` does not say what it makes of a missing value. So uniqueness is SQL.
- `DataFreshness` asks of every row; ours asks of the newest. So freshness is SQL.
- `ColumnValues in` takes NULL as a member, so sets are `ColumnValues`, but for members whose text DQDL or the SQL below
  it would read as something else: those are compared by the hex digits of their bytes.
- A rule that compares with another run (`last(1)`) exists in Glue's jobs alone, not for tables of the catalogue.

See:
    https://docs.aws.amazon.com/glue/latest/dg/dqdl.html
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from baton.specification.model import ModelSpecification
from baton.specification.quality import Complete, Fresh, OneOf, Range, RowCount, RowCountChange, Rule, Unique

LONGEST = 65_536  # characters that Glue takes for one ruleset
# Quotes and backslashes are read twice, by DQDL and by the SQL it becomes; dates, times and keywords have a meaning of
# their own.
_MISREAD = re.compile(
    r"""["'\\\x00-\x1f\x7f]|^\s|\s$|^\d{4}-\d{2}-\d{2}$|^\d{1,2}:\d{2}( [AP]M)?$"""
    r"|^(?i:null|empty|whitespaces_only)$"
)


def ruleset_of(model: ModelSpecification) -> str | None:
    """The model's rules as a ruleset; None where none of them can be one.

    Raises:
        ValueError: It is longer than Glue takes.
    """
    rules = [text for rule in model.quality.rules if (text := _dqdl(rule, model)) is not None]
    if not rules:
        return None
    text = "Rules = [\n    " + ",\n    ".join(rules) + "\n]"
    if len(text) > LONGEST:
        raise ValueError(
            f"{model.name}: quality.rules take {len(text)} characters as a Glue ruleset, and Glue takes {LONGEST}; "
            "shorten the longest set of one_of"
        )
    return text


def _dqdl(rule: Rule, model: ModelSpecification) -> str | None:
    match rule:
        case Complete(column=column, at_least=1):
            return f"IsComplete {_quoted(column)}"
        case Complete(column=column, at_least=share):
            return f"Completeness {_quoted(column)} >= {_decimal(share)}"
        case OneOf(column=column, values=values):
            return _one_of(column, values)
        case Range(column=column):
            outside = " or ".join(_outside(rule, kind=model.outputs[column].curated_type))
            return _sql(f"select count(*) from primary where {outside}", "= 0")
        case Unique(column=column):
            return _sql(f"select count({_name(column)}) - count(distinct {_name(column)}) from primary", "= 0")
        case Fresh(column=column, within_hours=hours):
            since = f"current_timestamp - interval {hours} hours"
            return _sql(f"select count(*) from primary where {_name(column)} >= {since}", "> 0")
        case RowCount(min=low, max=None):
            return f"RowCount >= {low}"
        case RowCount(min=low, max=high):
            return f"(RowCount >= {low}) and (RowCount <= {high})"
        case RowCountChange():
            return None


def _one_of(column: str, values: tuple[str | int, ...]) -> str:
    if any(isinstance(value, str) and _MISREAD.search(value) for value in values):
        members = ", ".join(f"'{str(value).encode().hex().upper()}'" for value in values)
        return _sql(f"select count(*) from primary where hex({_name(column)}) not in ({members})", "= 0")
    members = ", ".join([_member(value) for value in values] + ["NULL"])
    return f"ColumnValues {_quoted(column)} in [{members}]"


def _member(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return f'"{value}"' if value else "EMPTY"


def _outside(rule: Range, *, kind: str) -> Iterator[str]:
    name = _name(rule.column)
    if kind == "double":
        yield f"isnan({name})"
    if rule.min is not None:
        yield f"{name} < {_literal(rule.min)}"
    if rule.max is not None:
        yield f"{name} > {_literal(rule.max)}"


def _decimal(number: float) -> str:
    """A number in plain digits, for DQDL knows no exponents."""
    return format(Decimal(repr(number)), "f")


def _literal(number: float) -> str:
    """A number as SQL writes it."""
    return str(int(number)) if number == int(number) else repr(number)


def _sql(query: str, condition: str) -> str:
    return f'CustomSql "{query}" {condition}'


def _quoted(column: str) -> str:
    """The catalogue holds names in lower case."""
    return f'"{column.lower()}"'


def _name(column: str) -> str:
    """In backticks, for a column may be called as a word of SQL is."""
    return f"`{column.lower()}`"
