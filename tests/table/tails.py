"""Functions of the kernel language with tails, tables and counts, for the tests of C and of CUDA."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng.kernels import bitcast, cast, count_sums, exp, rarely, sqrt, where
from keyrng.kernels.lookup import Table, lookup

_LONG = Table([[8.0 * column + row for row in range(16)] for column in range(6)])
_SHORT = Table([[0.5 / (row + 1) for row in range(16)]])


def nested_tails(x: Any, y: Any) -> Any:
    """A tail in a tail, with values that are computed in one of them, in both or outside too."""
    outside = x * 0.5

    def outer(a: Any, b: Any) -> Any:
        shared = a * 0.5 - b
        return shared + rarely(b < 0.0, shared, lambda c, d: c * 0.5 - c / d, a, b)

    return rarely(x > y, outside, outer, x, y) - outside


def two_tails(x: Any, y: Any) -> Any:
    """Tails with conditions of both kinds, the second of the result of the first."""
    common = sqrt(abs(x))
    first = rarely((x > 1.0) & (y > 1.0), common, lambda a, b: sqrt(abs(a)) + b, x, y)
    return rarely(first > 1.5, where(y < 0.0, first, common), lambda a: a * -2.0, first)


def decided_in_a_tail(x: Any, y: Any) -> Any:
    """A condition that is computed in a tail for some elements."""
    condition = rarely(x > y, x < 0.0, lambda a, b: a + b > 0.5, x, y, share=0.5)
    return where(condition, x, y - x)


def looked_up(x: Any, y: Any) -> Any:
    """Rows of two tables by two indices, one of them in a tail too."""
    first, second = (bitcast(value, np.uint64) >> 48 & 15 for value in (x, y))
    a, b, c, d, e, f = lookup(_LONG, first)
    (g,) = lookup(_SHORT, second)
    total = (a - b * c) / (d + 1.0) + e * f * g
    return rarely(y > 1.0, total, lambda total, index: total - next(lookup(_LONG, index)), total, second)


def counts(x: Any, y: Any) -> Any:
    """Counts of floats of any kind: of one distribution, of many, and in a tail; of all at once, none goes on."""
    x64, y64 = cast(x, "float64"), cast(y, "float64")
    u, lam = x64 * x64 * 0.25, y64 * y64 * 4.0
    geometric = count_sums(u, 0.25, lambda p, k, inverse: p * 0.75)
    poisson = count_sums(u, exp(-lam), lambda p, k, inverse, lam: p * (lam * inverse), lam)
    few = rarely(u > lam, poisson, lambda u, lam: count_sums(u, lam, lambda p, k, inverse: p * (k * 0.001)), u, lam)
    return cast(geometric * 10_000 + poisson * 100 + few, x.dtype)


def attempt(x: Any, y: Any) -> tuple[Any, Any]:
    """An attempt with tails to collect: of its value, by conditions of both widths, and of its condition."""
    first = rarely(x > 1.0, x * 0.5, lambda a: sqrt(a) + 3.0, x, share=0.004)
    second = rarely(cast(x, np.float32) > 1.5, first, lambda a, b: a * b - 1.0, first, y, share=0.004)
    third = rarely(cast(y, np.float64) > 1.5, second, lambda a, b: a / b, second, y, share=0.5)
    value = third + rarely(y > 1.75, y, lambda a: a * 0.125, y)
    return rarely(y > 0.5, value > 0.0, lambda a, b: a * a < b, x, y, share=0.5), value
