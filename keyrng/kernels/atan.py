"""The inverse tangent."""

from __future__ import annotations

from typing import NamedTuple

from keyrng.kernels.elementary import Coefficients, copysign, format_of, horner
from keyrng.kernels.ops import Value, where

__all__ = ["atan"]


class _Table(NamedTuple):
    """Constants for one dtype."""

    # atan(q) = q + q z (c0 + c1 z + ...) with z = q**2, |q| < 9/16: minimax fit (Remez, in mpmath), highest order
    # first.
    series: Coefficients
    eighth: float  # pi / 4
    lack: float  # relative error of the value above


_FLOAT32 = _Table(
    series=(0.0328534, -0.07537153, 0.10814902, -0.142560264, 0.1999860543, -0.33333311292),
    eighth=0.7853981853,
    lack=-2.7827534e-08,
)

_FLOAT64 = _Table(
    series=(
        -0.005845994257246409, 0.01924962660732545, -0.03370409180931821, 0.04435047559170452, -0.051849206967543936,
        0.058689121682888216, -0.06665019457572176, 0.07692166107061051, -0.09090900816889745, 0.11111110798981021,
        -0.14285714278745666, 0.19999999999921441, -0.33333333333333023,
    ),
    eighth=0.7853981633974483,
    lack=3.8981718325193755e-17,
)  # fmt: skip


def atan(x: Value) -> Value:
    """Return the inverse tangent, between -pi / 2 and pi / 2; the result for a zero or NaN is ``x``.

    Precision: 0.90 ULP (float32), 0.92 (float64).
    """
    table, number = _FLOAT32 if format_of(x).mantissa == 23 else _FLOAT64, x.dtype.type
    a = abs(x)
    a = where(a > 1e17, 1e17, a)  # its inverse tangent rounds to pi / 2
    # atan(a) = base + atan(q), where q is a, (a - 1) / (a + 1) or -1 / a, so that the rounding of q is small relative
    # to base.
    small, one = a < 0.5625, where(a < 1.8125, number(1), number(0))
    q = where(small, a, one * a - 1.0) / where(small, 1.0, one + a)
    base = where(small, 0.0, (2.0 - one) * table.eighth)
    z = q * q
    total = base + q
    rest = ((base - total) + q) + base * table.lack
    return copysign(total + (rest + q * (z * horner(z, table.series))), x)
