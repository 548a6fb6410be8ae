"""Functions of the kernel language with tails and with counts, for the tests of C and of CUDA."""

from __future__ import annotations

from typing import Any

from keyrng.kernels import cast, count_sums, exp, rarely, sqrt, where


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


def counts(x: Any, y: Any) -> Any:
    """Counts of floats of any kind: of one distribution, of many, and in a tail; of all at once, none goes on."""
    x64, y64 = cast(x, "float64"), cast(y, "float64")
    u, lam = x64 * x64 * 0.25, y64 * y64 * 4.0
    geometric = count_sums(u, 0.25, lambda p, k, inverse: p * 0.75)
    poisson = count_sums(u, exp(-lam), lambda p, k, inverse, lam: p * (lam * inverse), lam)
    few = rarely(u > lam, poisson, lambda u, lam: count_sums(u, lam, lambda p, k, inverse: p * (k * 0.001)), u, lam)
    return cast(geometric * 10_000 + poisson * 100 + few, x.dtype)
