"""Symbols: the values of a kernel while it is traced.

A kernel called on symbols builds a directed acyclic graph of operations, from which C and CUDA are generated. The rules
are those of NumPy arrays of one dtype: a Python number takes the dtype of the other operand, and nothing else is
promoted. A kernel that can be traced therefore has no hidden widening in its NumPy run.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BOOL = np.dtype(np.bool_)
_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
_FLOAT_ONLY = frozenset({"div", "sqrt"})
_WORD_ONLY = frozenset({"and", "or", "xor", "invert", "shl", "shr", "rotl", "mod", "mulhi", "modwide"})


class Graph:
    """The operations of one traced function, without duplicates."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[Any, ...], Symbol] = {}

    def node(self, op: str, dtype: np.dtype[Any], *args: Any) -> Symbol:
        """Return the symbol of an operation; equal operations share a symbol."""
        identity = (op, dtype, *(id(a) if isinstance(a, Symbol) else a for a in args))
        symbol = self._nodes.get(identity)
        if symbol is None:
            symbol = self._nodes[identity] = Symbol(self, op, dtype, args)
        return symbol

    def has(self, op: str, dtype: np.dtype[Any], *args: Any) -> bool:
        """Whether the graph has this operation."""
        return (op, dtype, *(id(a) if isinstance(a, Symbol) else a for a in args)) in self._nodes

    def symbols(self) -> list[Symbol]:
        """Return the values of all operations so far, operands first."""
        return list(self._nodes.values())

    def constant(self, value: Any, dtype: np.dtype[Any]) -> Symbol:
        """Return a literal, rounded to ``dtype`` as NumPy rounds a Python number in an operation with an array."""
        if dtype == BOOL:
            if not isinstance(value, (bool, np.bool_)):
                raise TypeError(f"operand of a boolean must be boolean, got {value!r}")
        elif dtype.kind in "ui":
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                raise TypeError(f"operand of {dtype} must be an integer, got {value!r}; use cast() to convert")
            info = np.iinfo(dtype)
            if not info.min <= value <= info.max:
                raise OverflowError(f"{value} does not fit in {dtype}")
        elif isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
            raise TypeError(f"operand of {dtype} must be a number, got {value!r}")
        # Keyed by bit pattern: 0.0 and -0.0 are equal, and NaN differs from itself.
        exact = dtype.type(value)
        return self.node("const", dtype, exact.tobytes(), exact)


class Symbol:
    """A value of a traced kernel: an operation, its operands and its dtype."""

    __slots__ = ("args", "dtype", "graph", "op")
    __array_ufunc__ = None  # makes NumPy scalars use the reflected operators

    def __init__(self, graph: Graph, op: str, dtype: np.dtype[Any], args: tuple[Any, ...]) -> None:
        self.graph = graph
        self.op = op
        self.dtype = dtype
        self.args = args

    def __repr__(self) -> str:
        return f"<{self.op} {self.dtype}>"

    def __bool__(self) -> bool:
        raise TypeError("kernels cannot branch: use where(condition, a, b), and & | ~ on conditions")

    def __hash__(self) -> int:
        return id(self)

    def apply(self, op: str, *others: Any) -> Symbol:
        """Return an operation on this symbol and others of its dtype; Python numbers become constants."""
        operands = [self]
        for given in others:
            other = given if isinstance(given, Symbol) else self.graph.constant(given, self.dtype)
            if other.graph is not self.graph:
                raise ValueError("an attempt used a value from outside; pass it as an argument")
            if other.dtype != self.dtype:
                raise TypeError(f"{op} of {self.dtype} and {other.dtype}; use cast() on one of them")
            operands.append(other)
        kind = self.dtype.kind
        if op in _FLOAT_ONLY and kind != "f":
            raise TypeError(f"{op} needs a float, got {self.dtype}")
        if op in _WORD_ONLY and kind != "u" and not (kind == "b" and op in ("and", "or", "xor", "invert")):
            raise TypeError(f"{op} needs an unsigned integer, got {self.dtype}")
        return self.graph.node(op, BOOL if op in _COMPARISONS else self.dtype, *operands)

    def _reflected(self, op: str, other: Any) -> Symbol:
        return self.graph.constant(other, self.dtype).apply(op, self)

    def shifted(self, op: str, amount: int) -> Symbol:
        """Return a shift or rotation by a constant smaller than the word."""
        if self.dtype.kind != "u":
            raise TypeError(f"{op} needs an unsigned integer, got {self.dtype}")
        if not isinstance(amount, int) or not 0 < amount < self.dtype.itemsize * 8:
            raise ValueError(f"shift must be a constant from 1 to {self.dtype.itemsize * 8 - 1}, got {amount!r}")
        return self.graph.node(op, self.dtype, self, amount)

    def __add__(self, other: Any) -> Symbol:
        return self.apply("add", other)

    def __sub__(self, other: Any) -> Symbol:
        return self.apply("sub", other)

    def __mul__(self, other: Any) -> Symbol:
        return self.apply("mul", other)

    def __truediv__(self, other: Any) -> Symbol:
        return self.apply("div", other)

    def __mod__(self, other: Any) -> Symbol:
        return self.apply("mod", other)

    def __and__(self, other: Any) -> Symbol:
        return self.apply("and", other)

    def __or__(self, other: Any) -> Symbol:
        return self.apply("or", other)

    def __xor__(self, other: Any) -> Symbol:
        return self.apply("xor", other)

    def __radd__(self, other: Any) -> Symbol:
        return self._reflected("add", other)

    def __rsub__(self, other: Any) -> Symbol:
        return self._reflected("sub", other)

    def __rmul__(self, other: Any) -> Symbol:
        return self._reflected("mul", other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return self._reflected("div", other)

    def __rand__(self, other: Any) -> Symbol:
        return self._reflected("and", other)

    def __ror__(self, other: Any) -> Symbol:
        return self._reflected("or", other)

    def __rxor__(self, other: Any) -> Symbol:
        return self._reflected("xor", other)

    def __lshift__(self, amount: int) -> Symbol:
        return self.shifted("shl", amount)

    def __rshift__(self, amount: int) -> Symbol:
        return self.shifted("shr", amount)

    def __invert__(self) -> Symbol:
        return self.apply("invert")

    def __neg__(self) -> Symbol:
        return self.apply("neg")

    def __abs__(self) -> Symbol:
        if self.dtype.kind != "f":
            raise TypeError(f"abs needs a float, got {self.dtype}")
        return self.apply("abs")

    def __lt__(self, other: Any) -> Symbol:
        return self.apply("lt", other)

    def __le__(self, other: Any) -> Symbol:
        return self.apply("le", other)

    def __gt__(self, other: Any) -> Symbol:
        return self.apply("gt", other)

    def __ge__(self, other: Any) -> Symbol:
        return self.apply("ge", other)

    def __eq__(self, other: object) -> Symbol:  # type: ignore[override]
        return self.apply("eq", other)

    def __ne__(self, other: object) -> Symbol:  # type: ignore[override]
        return self.apply("ne", other)
