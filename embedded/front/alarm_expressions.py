"""CloudWatch metric math over one period's values: arithmetic, comparisons and the functions alarms use."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

Value = float | None


class ExpressionError(Exception):
    """An expression uses what is not evaluated here."""


_OPERATORS: dict[type[Any], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
    ast.Gt: lambda a, b: float(a > b),
    ast.GtE: lambda a, b: float(a >= b),
    ast.Lt: lambda a, b: float(a < b),
    ast.LtE: lambda a, b: float(a <= b),
    ast.Eq: lambda a, b: float(a == b),
    ast.NotEq: lambda a, b: float(a != b),
}
_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "MAX": max,
    "MIN": min,
    "AVG": lambda values: sum(values) / len(values),
}


def evaluate(expression: str, values: Mapping[str, Value]) -> Value:
    """Evaluate an expression; a missing value makes the result missing, unless FILL gives it one.

    Raises:
        ExpressionError: The expression uses something else than arithmetic, comparisons, AND, OR, IF,
            FILL, ABS, SUM, MAX, MIN, AVG and the ids of other queries.
    """
    text = re.sub(r"\bAND\b|&&", "and", expression)
    text = re.sub(r"\bOR\b|\|\|", "or", text)
    # IF is a function in metric math and a keyword in the grammar that parses it here.
    text = re.sub(r"\bIF\s*\(", "IF_(", text).replace("^", "**")
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"the expression {expression!r} cannot be read: {error.msg}") from error
    return _Evaluation(expression, values).visit(tree.body)


class _Evaluation:
    def __init__(self, expression: str, values: Mapping[str, Value]) -> None:
        self._expression = expression
        self._values = values

    def visit(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name) if name in self._values:
                return self._values[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._apply(lambda a, b: a - b, 0.0, self.visit(operand))
            case ast.BinOp(op=ast.Div(), left=left, right=right):
                divisor = self.visit(right)
                # CloudWatch drops the data point of a division by zero.
                return None if not divisor else self._apply(operator.truediv, self.visit(left), divisor)
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
                return self._apply(_OPERATORS[type(op)], self.visit(left), self.visit(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return self._apply(_OPERATORS[type(op)], self.visit(left), self.visit(right))
            case ast.BoolOp(op=op, values=operands):
                return self._logical(op, [self.visit(operand) for operand in operands])
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments)
        raise ExpressionError(f"the expression {self._expression!r} is not evaluated here")

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        match name, arguments:
            case "FILL", [series, filler]:
                value = self.visit(series)
                return self.visit(filler) if value is None else value
            case "IF_", [condition, then, *otherwise]:
                chosen = self.visit(condition)
                if chosen:
                    return self.visit(then)
                return self.visit(otherwise[0]) if otherwise else None
            case "ABS", [operand]:
                value = self.visit(operand)
                return None if value is None else abs(value)
            case aggregate, operands if aggregate in _AGGREGATES:
                return self._aggregate(_AGGREGATES[aggregate], operands)
        raise ExpressionError(f"the expression {self._expression!r} uses {name}, which is not evaluated here")

    def _aggregate(self, function: Callable[[list[float]], float], operands: list[ast.expr]) -> Value:
        nodes: list[ast.expr] = []
        for operand in operands:
            nodes.extend(operand.elts if isinstance(operand, ast.List) else [operand])
        found = [value for value in (self.visit(node) for node in nodes) if value is not None]
        return function(found) if found else None

    @staticmethod
    def _apply(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
        return None if left is None or right is None else float(function(left, right))

    @staticmethod
    def _logical(op: ast.boolop, values: list[Value]) -> Value:
        truths = [bool(value) for value in values]
        return float(all(truths) if isinstance(op, ast.And) else any(truths))
