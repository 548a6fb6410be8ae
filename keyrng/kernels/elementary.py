"""Elementary functions in the kernel language: logarithms, exponentials and rounding.

A library's ``log`` varies between machines in its last bits. These functions return the same bits everywhere, because
they use only operations that IEEE 754 rounds exactly. They take arrays or symbols of float32 or float64 and compute in
that dtype. There are no branches: both sides are computed and ``where`` selects one. Functions with the suffix
``_unchecked`` omit the handling of special values.

Precision is given in ULP, the spacing of floats at the exact result: measured for float32 at every argument, for
float64 at a few million random points against 80-bit floats or mpmath. Polynomials without a reference are minimax
fits (Remez, in mpmath).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keyrng.kernels.ops import Value, bitcast, where

__all__ = [
    "copysign", "exp", "expm1", "floor", "isnan", "ldexp", "log", "log1p", "log1p_unchecked", "log_unchecked", "power",
    "rint",
]  # fmt: skip

Coefficients = tuple[float, ...]
_INF = float("inf")
_NAN = float("nan")


class Format(NamedTuple):
    """Constants of one float dtype."""

    word: Any  # the unsigned dtype of the same size
    mantissa: int  # stored bits of the significand
    bias: int  # exponent bias
    ln2_high: float  # short enough for exact products with any exponent (fdlibm)
    ln2_low: float
    log: Coefficients
    exp: Coefficients
    expm1: Coefficients
    exp_range: tuple[float, float]  # outside, exp is zero or infinite
    expm1_low: float  # below this expm1 is -1

    @property
    def sign(self) -> int:
        """The sign bit."""
        return int(1 << (self.word.itemsize * 8 - 1))

    @property
    def one(self) -> int:
        """The bits of 1.0."""
        return self.bias << self.mantissa

    @property
    def lowest(self) -> int:
        """The bits of 0.6875 = 1.375 / 2, the lower end of the significands whose logarithm is computed."""
        return self.one - (5 << (self.mantissa - 3))

    @property
    def integers(self) -> float:
        """The number from which every float is an integer."""
        return float(2**self.mantissa)

    @property
    def tiny(self) -> float:
        """The smallest normal number."""
        return float(2.0 ** (1 - self.bias))


_FLOAT32 = Format(
    word=np.dtype(np.uint32),
    mantissa=23,
    bias=127,
    ln2_high=6.9313812256e-01,
    ln2_low=9.0580006145e-06,
    # 2 atanh(s) / s = 2 + z (c0 + c1 z + ...) with z = s**2, s in (-0.186, 0.158); highest order first, as below.
    log=(0.30094966, 0.39969283, 0.6666684),
    # e**r = 1 + r + r**2 (c0 + c1 r + ...), |r| < 0.347
    exp=(0.0013814588, 0.008368717, 0.04166839, 0.16666521, 0.49999994),
    # ... = 1 + r + r**2 / 2 + r**3 (c0 + c1 r + ...)
    expm1=(0.00014905189, 0.0013930406, 0.008341641, 0.04166651, 0.16666636),
    exp_range=(-104.0, 89.0),
    expm1_low=-20.0,
)  # fmt: skip

_FLOAT64 = Format(
    word=np.dtype(np.uint64),
    mantissa=52,
    bias=1023,
    ln2_high=6.93147180369123816490e-01,
    ln2_low=1.90821492927058770002e-10,
    log=(
        0.15055750508918794, 0.15287465058249453, 0.18184623879183734, 0.2222217790325698, 0.2857142894497606,
        0.3999999999850907, 0.6666666666666868,
    ),
    exp=(
        2.500000833171188e-08, 2.763024848484935e-07, 2.7557586548671217e-06, 2.4801493098912056e-05,
        0.00019841269506377436, 0.0013888888943629743, 0.008333333333494555, 0.04166666666653016,
        0.16666666666666413, 0.5000000000000011,
    ),
    expm1=(
        2.096035656401914e-09, 2.511046546791925e-08, 2.7557149681079577e-07, 2.7557240365175584e-06,
        2.4801587440257837e-05, 0.00019841269889645077, 0.0013888888888842492, 0.008333333333320384,
        0.04166666666666671, 0.16666666666666677,
    ),
    exp_range=(-746.0, 710.0),
    expm1_low=-40.0,
)  # fmt: skip


def format_of(x: Value) -> Format:
    """Return the constants of a value's dtype."""
    if x.dtype == np.float32:
        return _FLOAT32
    if x.dtype == np.float64:
        return _FLOAT64
    raise TypeError(f"expected float32 or float64, got {x.dtype}")


def horner(z: Value, coefficients: Coefficients) -> Value:
    """Evaluate a polynomial; coefficients are given highest order first."""
    p = z * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        p = p * z + c
    return p


# Signs and rounding


def isnan(x: Value) -> Value:
    """Return whether ``x`` is NaN."""
    return x != x


def copysign(magnitude: Value, sign: Value) -> Value:
    """Return ``magnitude`` with the sign bit of ``sign``."""
    fmt = format_of(magnitude)
    bits = bitcast(abs(magnitude), fmt.word) | (bitcast(sign, fmt.word) & fmt.sign)
    return bitcast(bits, magnitude.dtype)


def rint(x: Value) -> Value:
    """Round to the nearest integer, ties to even; exact, keeps the sign of zero, returns NaN and infinities as is."""
    fmt = format_of(x)
    if isinstance(x, np.ndarray):
        return np.rint(x)
    magnitude = abs(x)
    # The sum has no bits for a fraction.
    rounded = (magnitude + fmt.integers) - fmt.integers
    signed = bitcast(rounded, fmt.word) | (bitcast(x, fmt.word) & fmt.sign)
    return where(magnitude < fmt.integers, bitcast(signed, x.dtype), x)


def floor(x: Value) -> Value:
    """Round to the largest integer not above ``x``; exact, returns -0.0, NaN and infinities as is."""
    format_of(x)
    if isinstance(x, np.ndarray):
        return np.floor(x)  # as exact, and one pass instead of ten
    nearest = rint(x)
    return nearest - where(nearest > x, x.dtype.type(1), 0.0)


def upper_half(x: Value) -> Value:
    """Clear the lower half of the significand, so that products of two such numbers are exact."""
    fmt = format_of(x)
    half = (fmt.mantissa + 2) // 2
    return bitcast(bitcast(x, fmt.word) >> half << half, x.dtype)


def product_error(a: Value, b: Value, near: Value) -> Value:
    """Return ``a * b - near``, exact if ``near`` is within a few ULP of the product: T. J. Dekker (1971)."""
    a_high, b_high = upper_half(a), upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    return (((a_high * b_high - near) + a_high * b_low) + a_low * b_high) + a_low * b_low


# Powers of two


def _shifter(fmt: Format) -> float:
    """Return the float that, added to a small integer n, leaves ``2 * bias + n`` in the low bits of the sum."""
    return 1.5 * fmt.integers + 2 * fmt.bias


def scales(shifted: Value) -> tuple[Value, Value]:
    """Return ``2**n`` for ``shifted = n + _shifter``, as two factors, because one cannot represent subnormals."""
    fmt = format_of(shifted)
    bits = bitcast(shifted, fmt.word)
    half = bits >> 1
    return bitcast(half << fmt.mantissa, shifted.dtype), bitcast((bits - half) << fmt.mantissa, shifted.dtype)


def scale_by(y: Value, shifted: Value) -> Value:
    """Return ``y * 2**n`` for ``shifted = n + _shifter``."""
    first, second = scales(shifted)
    return y * first * second


def ldexp(x: Value, n: Value) -> Value:
    """Return ``x * 2**n`` for an integral float ``n``, ``|n| < 253`` (float32) or ``2045`` (float64).

    Exact except for overflow and for subnormal results, which may be rounded twice.
    """
    return scale_by(x, n + _shifter(format_of(x)))


# Logarithms


def _log_of(fmt: Format, f: Value, k: Value, low: Value) -> Value:
    """Return ``log(1 + f) + k * ln2_high + low`` for f in [-0.3125, 0.375] and a small ``low``.

    log(1 + f) = 2 atanh(s) = f - s (f - R(s**2)) for s = f / (2 + f), as in fdlibm's e_log.c. The interval differs: up
    to 0.375 the subtracted term is below 1/16, so that its rounding errors are an eighth of an ULP of the result.
    """
    s = f / (f + 2.0)
    z = s * s
    return k * fmt.ln2_high + (f - (s * (f - z * horner(z, fmt.log)) - low))


def _exponent(fmt: Format, word: Value, dtype: Any, bias: Any) -> Value:
    """Convert a word of at most 11 bits to a float and subtract the bias; SIMD has no cast for 64 bits."""
    aligned = bitcast(word | ((fmt.bias + fmt.mantissa) << fmt.mantissa), dtype)
    return aligned - (bias + fmt.integers)


def split_float(x: Value, bias: Any) -> tuple[Value, Value]:
    """Return f and k of a positive, finite, normal ``x = (1 + f) * 2**(k + bias - fmt.bias)``."""
    fmt = format_of(x)
    word = bitcast(x, fmt.word) + (fmt.one - fmt.lowest)
    k = _exponent(fmt, word >> fmt.mantissa, x.dtype, bias)
    return bitcast((word & (2**fmt.mantissa - 1)) + fmt.lowest, x.dtype) - 1.0, k


def _lift(x: Value) -> tuple[Value, Value]:
    """Scale a positive ``x`` so that subnormals become normal; return it with the bias that undoes the scaling."""
    fmt = format_of(x)
    small = x < fmt.tiny
    power = fmt.mantissa + 2
    return where(small, x * 2.0**power, x), where(small, x.dtype.type(fmt.bias + power), fmt.bias)


def log_unchecked(x: Value) -> Value:
    """Return the natural logarithm of a positive, finite, normal ``x``; undefined for other arguments.

    Precision: as ``log``.
    """
    fmt = format_of(x)
    f, k = split_float(x, fmt.bias)
    return _log_of(fmt, f, k, k * fmt.ln2_low)


def log(x: Value) -> Value:
    """Return the natural logarithm; -inf for zeros, NaN for negative numbers.

    Precision: 0.92 ULP (float32), 0.94 (float64), also for subnormals.
    """
    fmt = format_of(x)
    f, k = split_float(*_lift(x))
    return _log_limits(x, _log_of(fmt, f, k, k * fmt.ln2_low))


def _log_limits(x: Value, value: Value) -> Value:
    """Return ``value`` where ``x`` is positive and finite, and the limits of the logarithm elsewhere."""
    number = x.dtype.type
    return where(x > 0.0, where(x < _INF, value, x), where(x == 0.0, number(-_INF), number(_NAN)))


def log_parts(x: Value) -> tuple[Value, Value]:
    """Return the natural logarithm as a sum ``high + low``, with about 1.25 times the precision of the dtype.

    Where the logarithm is infinite or NaN, ``high`` is too, and ``low`` is zero.
    """
    fmt = format_of(x)
    f, k = split_float(*_lift(x))
    d = f + 2.0
    s = f / d
    # The error of the quotient: f - s (2 + f), exactly.
    rest = -product_error(s, d, f) - s * (f - (d - 2.0))
    z = s * s
    low = 2.0 * (rest / d) + (s * (z * horner(z, fmt.log)) + k * fmt.ln2_low)
    whole, part = k * fmt.ln2_high, 2.0 * s
    total = whole + part
    low = ((whole - total) + part) + low
    high = total + low
    finite = (x > 0.0) & (x < _INF)
    return _log_limits(x, high), where(finite, (total - high) + low, x.dtype.type(0))


def log1p_unchecked(x: Value) -> Value:
    """Return ``log(1 + x)`` for a finite ``x`` above -1; loses the sign of -0.0, undefined for other arguments.

    Precision: as ``log1p``.
    """
    fmt = format_of(x)
    word = bitcast(x + 1.0, fmt.word) + (fmt.one - fmt.lowest)
    exponent = word >> fmt.mantissa
    k = _exponent(fmt, exponent, x.dtype, fmt.bias)
    # f = (1 + x) / 2**k - 1; only the last sum is rounded. 4 / 2**k is normal for every k, 1 / 2**k is not.
    scale = bitcast((2 * fmt.bias + 2 - exponent) << fmt.mantissa, x.dtype)
    scaled = x * scale
    rest = scale - 4.0
    f = scaled + rest
    # The sum is inexact for x in (0.375, 0.5), where log(1 + f) grows 1.4 times as fast as f, and for x > 2**mantissa.
    lost = (scaled - (f - rest)) * 0.35
    return _log_of(fmt, f * 0.25, k, k * fmt.ln2_low + lost)


def log1p(x: Value) -> Value:
    """Return ``log(1 + x)``, accurate near zero; -inf at -1, NaN below, ``x`` at zeros.

    Precision: 0.92 ULP (float32), 0.91 (float64).
    """
    value = where((x < _INF) & (x != 0.0), log1p_unchecked(x), x)
    return where(x > -1.0, value, where(x == -1.0, x.dtype.type(-_INF), _NAN))


# Exponentials


def reduce_exp(fmt: Format, x: Value) -> tuple[Value, Value, Value]:
    """Split ``x = n log(2) + high - low`` with ``|high - low| < 0.347``; n is returned as ``n + _shifter``."""
    shifter = _shifter(fmt)
    shifted = x * 1.4426950408889634 + shifter  # 1 / log(2)
    n = shifted - shifter
    return shifted, x - n * fmt.ln2_high, n * fmt.ln2_low


def exp_bend(fmt: Format, high: Value, low: Value) -> Value:
    """Return ``1 + high - exp(high - low)``, a small number, for ``|high - low| < 0.347``."""
    r = high - low
    return low - r * r * horner(r, fmt.exp)


def exp(x: Value) -> Value:
    """Return the exponential; subnormal results are rounded as others, and overflow gives inf.

    Precision: 0.90 ULP (float32), 0.91 (float64).
    """
    fmt = format_of(x)
    lowest, highest = fmt.exp_range
    x = where(x > highest, highest, x)
    x = where(x < lowest, lowest, x)
    shifted, high, low = reduce_exp(fmt, x)
    return scale_by((high - exp_bend(fmt, high, low)) + 1.0, shifted)


def expm1(x: Value) -> Value:
    """Return ``exp(x) - 1``, accurate near zero; ``x`` at zeros.

    Precision: 0.97 ULP (float32), 0.90 (float64).
    """
    fmt = format_of(x)
    t = where(x > fmt.exp_range[1], fmt.exp_range[1], x)
    t = where(t < fmt.expm1_low, fmt.expm1_low, t)
    shifted, high, low = reduce_exp(fmt, t)
    r = high - low
    # scale = 2**n / 2, so that n = bias + 1 does not overflow; the result is 2 (scale (1 + high - low + ...) - 1/2)
    scale = bitcast((bitcast(shifted, fmt.word) - (fmt.bias + 1)) << fmt.mantissa, x.dtype)
    whole = scale - 0.5
    lost = (scale - whole) - 0.5
    part = scale * high
    total = whole + part
    lost = lost + ((whole - total) + part)
    curved = 0.5 * r * r + r * r * r * horner(r, fmt.expm1)
    value = (total + (lost - scale * (low - curved))) * 2.0
    return where(abs(x) < 2.0 ** -(fmt.mantissa + 3), x, value)


def power(x: Value, y: Value) -> Value:
    """Return ``x**y`` for ``x >= 0``, NaN for ``x < 0``; 1 if ``y`` is zero or ``x`` is one, even if the other is NaN.

    Precision: 1.3 ULP if the result is between e**-10 and e**10, 7 (float32) or 45 (float64) otherwise, measured at
    random points. The relative error of the logarithm, about 2**-30 or 2**-59, grows with ``y log(x)``.
    """
    return scaled_power(x, y, x.dtype.type(1))


def scaled_power(x: Value, y: Value, scale: Value) -> Value:
    """Return ``power(x, y) * scale`` for a positive ``scale``, also where the power alone overflows or underflows."""
    fmt = format_of(x)
    high, low = log_parts(x)
    product = y * high
    lowest, highest = (-174.0, 176.0) if fmt.mantissa == 23 else (-1416.0, 1418.0)  # the range of `scales`
    inside = (product < highest) & (product > lowest)
    rest = where(inside, product_error(y, high, product) + y * low, x.dtype.type(0))
    product = where(product > highest, highest, product)
    product = where(product < lowest, lowest, product)
    shifted, upper, lower = reduce_exp(fmt, product)
    first, second = scales(shifted)
    value = ((upper - exp_bend(fmt, upper, lower - rest)) + 1.0) * first * scale * second
    value = where(product == highest, _INF, where(product == lowest, 0.0, value))
    return where((y == 0.0) | (x == 1.0), scale, value)
