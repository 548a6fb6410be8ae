"""Counts by inversion: the loop of a sequential search, as an operation of the kernel language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from keyrng.kernels.ops import Value
from keyrng.kernels.symbols import BOOL, Graph, Symbol

MOST_TERMS = 1024  # so that a count ends for any numbers

_COUNTS = np.dtype(np.int64)


def count_sums(u: Value, first: Value, step: Callable[..., Value], *arguments: Value, start: int = 0) -> Value:
    """Return how many of the sums of terms, ``p(start), p(start) + p(start + 1), ...``, are at most ``u``, as an int64.

    The terms are ``p(k) = step(p(k - 1), k, 1 / k, *arguments)`` after ``p(start) = first``. With probabilities as
    terms and a uniform ``u`` this is inversion by sequential search. All values are float64; ``k`` and ``1 / k`` are
    the same for all elements. ``step`` must use no values but its arguments.

    A sum that the next term does not increase is not counted and ends the count, so rounding errors of the sums do not
    lead to a count whose probability is 0. No later term may increase the sum again, and no term after ``first`` may be
    NaN. A count is at most 1,024.
    """
    if isinstance(u, Symbol):
        return _traced("count", _COUNTS, step, start, first, u, *arguments)
    values = [np.asarray(v, u.dtype) for v in (first, *arguments)]
    counted = _of_one if all(v.size == 1 for v in values) else _of_many
    return counted(u, step, range(start + 1, start + MOST_TERMS + 1), *values)


def sum_terms(first: Value, step: Callable[..., Value], *arguments: Value) -> Value:
    """Return the sum of all terms of `count_sums` from ``p(0)`` on, where the sums end; terms must not be NaN."""
    if any(isinstance(v, Symbol) for v in (first, *arguments)):
        return _traced("total", arguments[0].dtype, step, 0, first, *arguments)
    total = term = np.asarray(first, arguments[0].dtype).reshape(-1)
    for k in range(1, MOST_TERMS + 1):
        term = step(term, float(k), 1.0 / k, *arguments)
        larger = total + term
        if not (larger > total).any():
            break
        total = larger
    return total


@dataclass(frozen=True, eq=False)
class Step:
    """The step of sums in a separate graph.

    ``inputs`` are the sum, the term, k, 1 / k and the arguments; ``going`` is whether the sum counts, or is not yet the
    last.
    """

    inputs: tuple[Symbol, ...]
    going: Symbol
    sum: Symbol
    term: Symbol
    start: int


def _traced(
    op: str, dtype: np.dtype[Any], step: Callable[..., Value], start: int, first: Value, *arguments: Value
) -> Symbol:
    outer = next(v for v in (first, *arguments) if isinstance(v, Symbol))
    symbols = [v if isinstance(v, Symbol) else outer.graph.constant(v, outer.dtype) for v in (first, *arguments)]
    graph = Graph()
    dtypes = [outer.dtype] * 4 + [v.dtype for v in symbols[1:]]
    inputs = tuple(graph.node("param", dtype, i) for i, dtype in enumerate(dtypes))
    total, term, k, inverse, *rest = inputs
    if op == "count":
        u, *rest = rest
    term = step(term, k, inverse, *rest)
    larger = total + term
    going = graph.node("going", BOOL, total, u, larger) if op == "count" else total < larger
    return outer.graph.node(op, dtype, symbols[0], Step(inputs, going, larger, term, start), *symbols[1:])


def _of_one(u: Value, step: Callable[..., Value], numbers: range, first: Value, *arguments: Value) -> Value:
    """Count in a table of the sums, which are the same for all elements."""
    total = term = first.reshape(1)
    rest = [v.reshape(1) for v in arguments]
    sums = [total[:0]]
    for k in numbers:
        term = step(term, float(k), 1.0 / k, *rest)
        larger = total + term
        if not larger > total:
            break
        sums.append(total)
        total = larger
    u = np.fmax(u, -np.inf)  # NaN is not above any sum
    return np.searchsorted(np.concatenate(sums), u, side="right").astype(_COUNTS)


def _of_many(u: Value, step: Callable[..., Value], numbers: range, first: Value, *arguments: Value) -> Value:
    """Count for all elements at once, and go on with those whose last sum counted."""
    shape = np.broadcast_shapes(*(v.shape for v in (u, first, *arguments)))
    u, total, *rest = (np.broadcast_to(v, shape).reshape(-1) for v in (u, first, *arguments))
    counts, live, term = np.zeros(u.size, _COUNTS), np.arange(u.size), total
    for k in numbers:
        term = step(term, float(k), 1.0 / k, *rest)
        larger = total + term
        going = np.flatnonzero((total <= u) & (larger > total))
        if not going.size:
            break
        live, u, total, term, *rest = (v[going] for v in (live, u, larger, term, *rest))
        counts[live] += 1
    return counts.reshape(shape)
