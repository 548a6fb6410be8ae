"""Expressions: values that a kernel computes from the numbers it is given, before it uses them.

An expression is the position of a number among those given, or a function of the kernel language and its arguments,
which are expressions: ``(function, *arguments)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from keyrng.kernels.formats import from_half, is_half
from keyrng.kernels.symbols import Symbol

Expression: TypeAlias = "int | tuple[Any, ...]"


def passed_as(dtype: Any) -> np.dtype[Any]:
    """Return the dtype of a kernel's parameter for numbers of a dtype."""
    return np.dtype(np.uint16) if is_half(dtype) else dtype


def evaluate(expressions: Sequence[Expression], symbols: Sequence[Symbol], dtypes: Sequence[Any]) -> list[Symbol]:
    """Return the values of expressions; ``symbols`` are the numbers as they are passed, ``dtypes`` what they are."""
    given = [from_half(s, dtype.name) if is_half(dtype) else s for s, dtype in zip(symbols, dtypes, strict=True)]

    def value(expression: Expression) -> Symbol:
        if isinstance(expression, int):
            return given[expression]
        function, *arguments = expression
        symbol: Symbol = function(*map(value, arguments))
        return symbol

    return [value(expression) for expression in expressions]
