"""Functions of the kernel language with tails, for the tests of C and of CUDA."""

from __future__ import annotations

from typing import Any

from keyrng.kernels import rarely, sqrt, where


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
