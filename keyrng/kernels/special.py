"""Special functions in the kernel language: the error functions, the logarithm of gamma, and sines of pi x.

Written as ``elementary`` is, under the same rules; they are here because they are longer and less used. The polynomials
are minimax fits (Remez, in mpmath) of our own.

Must not import anything of keyrng but symbols, ops and elementary.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from keyrng.kernels.elementary import (
    Coefficients,
    exp_rest,
    format_of,
    horner,
    log,
    log_parts,
    reduce_exp,
    scale_by,
    upper_half,
)
from keyrng.kernels.ops import Value, bitcast, where

__all__ = ["cospi", "erf", "erfc", "lgamma", "sinpi", "tanpi"]

_INF = float("inf")


class _Table(NamedTuple):
    """The coefficients for one dtype, highest order first."""

    pi: tuple[float, float]  # in two parts, the first so short that a product with half a significand is exact
    sine: Coefficients
    quarter_pi: tuple[float, float]
    tangent: Coefficients
    erf: Coefficients
    erfc: Coefficients
    erfc_centre: float
    erfc_end: float
    gamma: Coefficients
    stirling: Coefficients


_FLOAT32 = _Table(
    pi=(3.140625, 0.0009676535897932385),
    # sin(pi r) = r (pi + z (c0 + c1 z + ...)), z = r**2, |r| <= 1/2
    sine=(-0.0070282123, 0.08205069, -0.5992524, 2.5501633, -5.1677127),
    quarter_pi=(0.78515625, 0.00024191339744830963),
    # tan(pi r) = r (pi / 4 + z (c0 + c1 z + ...)) / (1/4 - z), |r| < 1/2
    tangent=(-0.013957098, -0.021297224, -0.05279599, -0.13476036, -0.55773646),
    # erf(x) = x + x (c0 + c1 z + ...), z = x**2, |x| < 1/2
    erf=(0.0047179908, -0.026757184, 0.112828225, -0.37612608, 0.12837917),
    # x exp(x**2) erfc(x) = c0 + c1 t + ..., t = (x - centre) / (x + centre), x > 1/2
    erfc=(
        -0.00019519674, -0.00066019996, 0.0010665935, 0.004753176, -0.007502808, -0.028971812, 0.12151382,
        -0.20384453, 0.16721104, 0.51079136,
    ),
    erfc_centre=2.0,
    erfc_end=10.5,
    # lgamma(x) / ((x - 1) (x - 2)) = c0 + c1 v + ..., v = (x - 1.5) / (x + 1.5), 3/4 <= x <= 3
    gamma=(
        -0.06795924, 0.06481291, -0.066121995, 0.062401414, -0.09327889, 0.08536388, -0.15080252, 0.1283221,
        -0.43787968, 0.48312896,
    ),
    # lgamma(x) = (x - 1/2) (log(x) - 1) + (log(2 pi) - 1) / 2 + (c0 + c1 z + ...) / x, z = 1 / x**2, x >= 3
    stirling=(0.000696713977959007, -0.0027727270498871803, 0.08333326876163483),
)  # fmt: skip

_FLOAT64 = _Table(
    pi=(3.1415926218032837, 3.178650954705639e-08),
    sine=(
        7.696695381085306e-07, -2.1903396583270923e-05, 0.00046629978215309873, -0.007370430500694154,
        0.08214588657282844, -0.5992645293189611, 2.550164039877303, -5.167712780049969,
    ),
    quarter_pi=(0.7853981256484985, 3.774894977445941e-08),
    tangent=(
        -0.00015202891666939877, -0.00011345867701235129, -0.00040567891809832173, -0.0008561504903946398,
        -0.001940996382226417, -0.004371816808345487, -0.009879866157524923, -0.022512938479877478,
        -0.05263664423122138, -0.13476940059046244, -0.5577362635648087,
    ),
    erf=(
        1.4723214762719855e-06, -1.4845583669810084e-05, 0.00012053324310301528, -0.0008548297524307522,
        0.005223977370325059, -0.026866170632715684, 0.11283791670924813, -0.37612638903183465, 0.12837916709551256,
    ),
    erfc=(
        -5.8640370259764224e-09, -5.2704088404641914e-09, 5.980339241110961e-08, 2.1285824003786005e-08,
        -4.5861276945369487e-07, 2.914796076432985e-07, 3.0581475502939995e-06, -7.084477594299912e-06,
        -1.1247643980775919e-05, 8.658921836814297e-05, -0.0001391200169750508, -0.0003680058552086352,
        0.002915548407000098, -0.010128998832040883, 0.025005730783461605, -0.04881471116608453,
        0.07842032531908806, -0.10500112171758157, 0.11617743547599994, -0.1016700134078229, 0.059723465959804566,
        0.5479978305002455,
    ),
    erfc_centre=4.0,
    erfc_end=28.0,
    gamma=(
        0.04006777104600545, -0.04472474591437275, 0.020510441634156374, -0.023441219591798713,
        0.028782111321024102, -0.03319825373160042, 0.03157322332993202, -0.037202566869692054,
        0.03621337746909038, -0.04383045590194472, 0.04232671478770578, -0.05319455491953472, 0.05091575542308783,
        -0.06769490723407677, 0.06382812036009748, -0.09321052266541122, 0.08530564281472106, -0.1508036309282049,
        0.128322921928166, -0.437879687742918, 0.4831289505409809,
    ),
    stirling=(
        0.23580666942252418, -0.19180416979591003, 0.07747419143280096, -0.02247834043066604,
        0.0060450709175661034, -0.0019042333254321823, 0.0008414269127316649, -0.0005952331527024204,
        0.0007936507511265475, -0.0027777777776074584, 0.08333333333333313,
    ),
)  # fmt: skip


def _table(x: Value) -> _Table:
    return _FLOAT32 if x.dtype == np.float32 else _FLOAT64


# Sines of pi x


def _reduce(x: Value) -> tuple[Value, Value]:
    """``|x| - n`` in [-1/2, 1/2] for the nearest integer n, and a word with the sign bit set where n is odd."""
    fmt = format_of(x)
    a = abs(x)
    # From 2**mantissa on there are only integers, and only even ones from twice that; infinity becomes NaN.
    large = where(a < 2 * fmt.integers, a - fmt.integers, a - a)
    a = where(a < fmt.integers, a, large)
    shifted = a + fmt.integers
    odd = bitcast(shifted, fmt.word) << (fmt.word.itemsize * 8 - 1)
    return a - (shifted - fmt.integers), odd


def _product(r: Value, constant: tuple[float, float], rest: Value) -> Value:
    """``r * (constant + rest)``, rounded little more than once where ``rest`` is the smaller."""
    high = upper_half(r)
    return high * constant[0] + ((r - high) * constant[0] + r * (constant[1] + rest))


def _sine(r: Value) -> Value:
    """sin(pi r) for r in [-1/2, 1/2]."""
    table = _table(r)
    z = r * r
    return _product(r, table.pi, z * horner(z, table.sine))


def _signed(value: Value, sign: Value) -> Value:
    """The value, negated where the word's sign bit is set; a zero becomes +0.0."""
    return bitcast(bitcast(value, sign.dtype) ^ sign, value.dtype) + 0.0


def _like(value: Value, x: Value) -> Value:
    """The value, negated where the sign bit of ``x`` is set."""
    fmt = format_of(x)
    return bitcast(bitcast(value, fmt.word) ^ (bitcast(x, fmt.word) & fmt.sign), x.dtype)


def sinpi(x: Value) -> Value:
    """sin(pi x); a zero with the sign of ``x`` at integers, NaN at infinities.

    Precision: PENDING.
    """
    r, odd = _reduce(x)
    return _like(_signed(_sine(r), odd), x)


def cospi(x: Value) -> Value:
    """cos(pi x); +0.0 halfway between integers, NaN at infinities.

    Precision: PENDING.
    """
    r, odd = _reduce(x)
    return _signed(_sine(0.5 - abs(r)), odd)


def tanpi(x: Value) -> Value:
    """tan(pi x); a zero with the sign of ``x`` at integers, NaN at infinities.

    Halfway between n and n + 1 it is inf for even n and -inf for odd n, as IEEE 754 has it.

    Precision: PENDING.
    """
    table = _table(x)
    r, _ = _reduce(x)
    z = r * r
    d = 0.5 - abs(r)
    # 1/4 - z = d - d**2 has no cancellation, and d is exact where the function is steep.
    return _like(_product(r, table.quarter_pi, z * horner(z, table.tangent)) / (d - d * d), x)


# The error functions


def _erf_centre(x: Value) -> Value:
    """erf(x) for ``|x| < 1/2``."""
    return x + x * horner(x * x, _table(x).erf)


def _erfc_tail(a: Value) -> Value:
    """erfc(a) for ``a > 1/2``."""
    fmt, table = format_of(a), _table(a)
    a = where(a > table.erfc_end, table.erfc_end, a)
    z = a * a
    high = upper_half(a)
    lost = (high * high - z) + (a - high) * (a + high)
    shifted, upper, lower = reduce_exp(fmt, -z)
    e = exp_rest(fmt, upper, lower + lost)
    q = horner((a - table.erfc_centre) / (a + table.erfc_centre), table.erfc) / a
    return scale_by(q + q * e, shifted)


def erf(x: Value) -> Value:
    """The error function; zeros are themselves.

    Precision: PENDING.
    """
    a = abs(x)
    return where(a < 0.5, _erf_centre(x), _like(1.0 - _erfc_tail(a), x))


def erfc(x: Value) -> Value:
    """``1 - erf(x)``, accurate in the far tail, down to subnormal results.

    Precision: PENDING.
    """
    tail = _erfc_tail(abs(x))
    return where(abs(x) < 0.5, 1.0 - _erf_centre(x), where(x < 0.0, 2.0 - tail, tail))


# The logarithm of gamma


def lgamma(x: Value) -> Value:
    """``log(abs(gamma(x)))``; inf at zero, at the negative integers and at both infinities.

    Precision: PENDING.
    """
    fmt, table = format_of(x), _table(x)
    a = abs(x)
    log_high, log_low = log_parts(a)
    # lgamma(1 + a) below 3/4, lgamma(a) from there to 3
    small = a < 0.75
    u = where(small, a, a - 1.0)
    near = u * (u - 1.0) * horner((u - 0.5) / (u + 2.5), table.gamma)
    b = a - 0.5
    i = 1.0 / a
    far = b * (log_high - 1.0) + ((i * horner(i * i, table.stirling) + b * log_low) + 0.41893853320467274178)
    value = where(a < 3.0, near, far)
    positive = where(small, (value - log_low) - log_high, value)
    # log(pi / abs(x gamma(-x) sin(pi x))); a tiny sine is taken for its argument, which cannot be rounded to less
    sine = where(a < 1e-10, a, abs(sinpi(a)) * 0.31830988618379067154)
    negative = -log(sine) - where(small, value, (value + log_low) + log_high)
    value = where(x < 0.0, negative, positive)
    return where(a < _INF, value, a)
