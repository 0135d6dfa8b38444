"""Reads the part of DQDL, the language of Glue Data Quality, that is evaluated here; the rest is refused by name.

See:
    https://docs.aws.amazon.com/glue/latest/dg/dqdl.html
"""

import re
from dataclasses import dataclass
from enum import Enum


class DqdlError(Exception):
    """The text is no ruleset, or holds what is not evaluated here."""


class Keyword(Enum):
    """Members of a set that stand for no text of their own."""

    NULL = "NULL"
    EMPTY = "EMPTY"


Operand = str | float | Keyword


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a rule's measure is held against: `>=` with one number, `between` with two, `in` with members."""

    operator: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule, as in `Completeness "country" >= 0.95`."""

    text: str
    type: str
    parameters: tuple[str, ...]
    condition: Condition | None


@dataclass(frozen=True, kw_only=True)
class Composite:
    """Rules joined by `and` or by `or`, each judged by itself on the whole data."""

    text: str
    operator: str
    rules: tuple["Rule | Composite", ...]


# How many parameters each type has, and whether a condition follows.
TYPES = {
    "ColumnValues": (1, True),
    "Completeness": (1, True),
    "CustomSql": (1, True),
    "IsComplete": (1, False),
    "RowCount": (0, True),
}
_TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)
    |(?P<moment>"\d{4}-\d{2}-\d{2}"|"\d{1,2}:\d{2}(?:\ [AP]M)?")
    |(?P<string>"(?:\\["\\]|[^"\\]|\\(?!["\\]))*")
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<compare>>=|<=|!=|=|>|<)
    |(?P<mark>[\[\](),])
    |(?P<word>[A-Za-z_][A-Za-z0-9_.]*)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def parse(document: str) -> list[Rule | Composite]:
    """The rules of a document.

    Raises:
        DqdlError: It is no ruleset, or a rule of it is of a type, or has a form, that is not evaluated here.
    """
    return _Reader(document).document()


def _tokens(document: str) -> list[_Token]:
    found, place = [], 0
    while place < len(document):
        match = _TOKEN.match(document, place)
        if match is None:
            raise DqdlError(f"unexpected character {document[place]!r} at {place}")
        if match.lastgroup != "skip":
            found.append(_Token(str(match.lastgroup), match.group(), match.start(), match.end()))
        place = match.end()
    return found


class _Reader:
    """A document, read from its beginning to its end."""

    def __init__(self, document: str) -> None:
        self._document = document
        self._tokens = [*_tokens(document), _Token("end", "", len(document), len(document))]
        self._place = 0

    def document(self) -> list[Rule | Composite]:
        for text in ("Rules", "=", "["):
            self._take(text)
        rules = [self._top()]
        while self._is(","):
            self._take(",")
            rules.append(self._top())
        self._take("]")
        if self._next.kind != "end":
            raise DqdlError(f"{self._next.text} is not evaluated here; after the rules nothing may come")
        return rules

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _is(self, *texts: str) -> bool:
        return self._next.kind not in ("string", "moment") and self._next.text in texts

    def _take(self, *texts: str) -> _Token:
        token = self._next
        if texts and not self._is(*texts):
            raise DqdlError(f"expected {' or '.join(texts)} at {token.start}, got {token.text or 'the end'}")
        self._place += 1
        return token

    def _since(self, start: int) -> str:
        return self._document[start : self._tokens[self._place - 1].end]

    def _top(self) -> Rule | Composite:
        if not self._is("("):
            return self._rule()
        start = self._next.start
        rules, operator = [self._bracketed()], ""
        while self._is("and", "AND", "or", "OR"):
            joined = self._take().text.lower()
            if operator and joined != operator:
                raise DqdlError(f"and and or at {self._next.start} want brackets")
            operator = joined
            rules.append(self._bracketed())
        return Composite(text=self._since(start), operator=operator or "and", rules=tuple(rules))

    def _bracketed(self) -> Rule | Composite:
        self._take("(")
        inner = self._top()
        self._take(")")
        return inner

    def _rule(self) -> Rule:
        start, name = self._next.start, self._take().text
        if name not in TYPES:
            raise DqdlError(f"rule type {name!r} is not evaluated here; these are: {', '.join(TYPES)}")
        count, conditional = TYPES[name]
        parameters = tuple(self._string(name) for _ in range(count))
        condition = self._condition(name) if conditional else None
        if not self._is(",", "]", ")"):
            raise DqdlError(f"{name}: {self._next.text or 'the end'} at {self._next.start} is not evaluated here")
        return Rule(text=self._since(start), type=name, parameters=parameters, condition=condition)

    def _string(self, name: str) -> str:
        token = self._take()
        if token.kind != "string":
            raise DqdlError(f"{name} wants a text in quotes at {token.start}, got {token.text or 'the end'}")
        return _unquoted(token.text)

    def _condition(self, name: str) -> Condition:
        token = self._take()
        if token.kind == "compare" and token.text != "!=":
            return Condition(operator=token.text, operands=(self._number(name),))
        if token.text == "between":
            low = self._number(name)
            self._take("and", "AND")
            return Condition(operator="between", operands=(low, self._number(name)))
        if token.text == "in":
            return Condition(operator="in", operands=self._members(name))
        raise DqdlError(f"{name}: the condition {token.text or '(none)'} at {token.start} is not evaluated here")

    def _members(self, name: str) -> tuple[Operand, ...]:
        self._take("[")
        members = [self._member(name)]
        while self._is(","):
            self._take(",")
            members.append(self._member(name))
        self._take("]")
        return tuple(members)

    def _member(self, name: str) -> Operand:
        if self._next.kind == "string":
            return self._string(name)
        if self._next.kind == "word" and self._next.text.upper() in Keyword.__members__:
            return Keyword[self._take().text.upper()]
        return self._number(name)

    def _number(self, name: str) -> float:
        token = self._take()
        if token.kind != "number":
            raise DqdlError(f"{name}: {token.text or 'the end'} at {token.start} is no number")
        return float(token.text)


def _unquoted(text: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])
