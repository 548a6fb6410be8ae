"""Special functions in the kernel language: error functions, log-gamma, and trigonometric functions of pi x.

They follow the rules of ``elementary``, and are separate because they are longer and used less. Polynomials are minimax
fits (Remez, in mpmath).

Precision is given in ULP, the spacing of floats at the exact result: measured for float32 at every positive argument
that is not tiny (for periodic functions, up to 4), for float64 at about 200,000 random points against mpmath.
"""

from __future__ import annotations

from typing import NamedTuple

from keyrng.kernels.elementary import (
    Coefficients,
    exp_bend,
    format_of,
    horner,
    log,
    log_parts,
    product_error,
    reduce_exp,
    scale_by,
    scales,
    upper_half,
)
from keyrng.kernels.ops import Value, bitcast, where

__all__ = ["cospi", "erf", "erfc", "lgamma", "sinpi", "tanpi", "tanpi_unchecked"]

_INF = float("inf")


class _Table(NamedTuple):
    """Coefficients for one dtype, highest order first."""

    sine: Coefficients
    pi: tuple[float, float]  # in two parts; products of the first with half a significand are exact
    tangent: Coefficients
    erf: Coefficients
    erfc: Coefficients
    erfc_centre: float
    erfc_end: float
    gamma: Coefficients
    stirling: Coefficients


_FLOAT32 = _Table(
    # sin(pi r) = r (3 - 4 z + c0 + c1 z + ...), z = r**2, |r| <= 1/2
    sine=(-0.0070282123, 0.08205069, -0.5992524, 2.5501633, -1.16771277, 0.1415926536),
    pi=(3.140625, 0.0009676535897932385),
    # tan(pi r) = r (pi + z (c0 + c1 z + ...)) / (1 - 4 z), |r| < 1/2
    tangent=(-0.055828392, -0.085188896, -0.21118396, -0.53904144, -2.2309458),
    # erf(x) = x + x (c0 + c1 z + ...), z = x**2, |x| < 1/2
    erf=(0.0047179908, -0.026757184, 0.112828225, -0.37612608, 0.12837917),
    # (1 + 2 x) exp(x**2) erfc(x) = 1 + c0 + c1 t + ..., t = (x - centre) / (x + centre), x >= 1/2
    erfc=(
        0.0047002826, -0.0052408557, -0.0052696657, -0.0052910987, 0.0027469227, 0.026949229, 0.045067523, -0.026912754,
        -0.26217565, 0.07106219, 0.28275073048,
    ),
    erfc_centre=1.0,
    erfc_end=10.5,
    # lgamma(x) / ((x - 1) (x - 2)) = 1/2 + c0 + c1 v + ..., v = (x - 1.5) / (x + 1.5), 3/4 <= x <= 5/2
    gamma=(
        0.08940612, -0.07498646, 0.059209067, -0.09287661, 0.0854933, -0.1508101, 0.12832044, -0.43787965,
        -0.016871044341,
    ),
    # lgamma(x) = (x - 1/2) (log(x) - 1) + (log(2 pi) - 1) / 2 + (c0 + c1 z + ...) / x, z = 1 / x**2, x >= 5/2
    stirling=(-0.00039646408, 0.0007731641, -0.0027769385, 0.08333332),
)  # fmt: skip

_FLOAT64 = _Table(
    sine=(
        7.696695381085306e-07, -2.1903396583270923e-05, 0.00046629978215309873, -0.007370430500694154,
        0.08214588657282844, -0.5992645293189611, 2.550164039877303, -1.167712780049969, 0.14159265358979324,
    ),
    pi=(3.1415926218032837, 3.178650954705639e-08),
    tangent=(
        -0.0006081156666775951, -0.00045383470804940515, -0.001622715672393287, -0.003424601961578559,
        -0.007763985528905668, -0.017487267233381946, -0.03951946463009969, -0.09005175391950991,
        -0.21054657692488551, -0.5390776023618498, -2.2309450542592346,
    ),
    erf=(
        1.4723214762719855e-06, -1.4845583669810084e-05, 0.00012053324310301528, -0.0008548297524307522,
        0.005223977370325059, -0.026866170632715684, 0.11283791670924813, -0.37612638903183465, 0.12837916709551256,
    ),
    erfc=(
        -1.0191671923715695e-07, 1.8595280813814114e-07, 3.3812843243917435e-07, -3.8161239854929955e-07,
        -9.695551992492575e-07, -5.731733501023857e-07, 1.5484328079169743e-06, 5.15953031473548e-06,
        3.705621715018527e-06, -1.3472464668512044e-05, -3.642460161671144e-05, -1.5139878114973195e-06,
        0.00015103973733367095, 0.00020636775537233784, -0.00045434092164158175, -0.001456813992298178,
        0.0012713389734517481, 0.008722653877960023, -0.008034015082741262, -0.054220000992095854,
        0.16405128003344793, -0.16603039761528876, -0.09276382658574604, 0.27697838155252872,
    ),
    erfc_centre=2.0,
    erfc_end=28.0,
    gamma=(
        -0.08762060384416577, 0.017196694246123762, -0.012546526800427353, 0.03173603801865629,
        -0.034266906985147276, 0.03113124574799288, -0.03715548498634393, 0.03624539007404992,
        -0.04383097970702241, 0.042325404492633854, -0.053194587609821556, 0.050915786637142586,
        -0.06769490587370665, 0.06382811994267382, -0.09321052268553381, 0.08530564281752628,
        -0.15080363092808696, 0.1283229219281587, -0.4378796877429182, -0.016871049459019107,
    ),
    stirling=(
        1.4519904396023688, -1.7759874985356185, 1.018815517305665, -0.3734715428112082,
        0.10296180128187724, -0.02477763796244638, 0.006181627738156948, -0.0019095637530360296,
        0.0008415603474596918, -0.0005952351852138809, 0.0007936507682310198, -0.002777777777673481,
        0.0833333333333332,
    ),
)  # fmt: skip


def _table(x: Value) -> _Table:
    return _FLOAT32 if format_of(x).mantissa == 23 else _FLOAT64


# Trigonometric functions of pi x


def _reduce(x: Value) -> tuple[Value, Value]:
    """Return ``|x| - n`` in [-1/2, 1/2] for the nearest integer n, and a word whose sign bit is set if n is odd."""
    fmt = format_of(x)
    a = abs(x)
    # Floats from 2**mantissa are integers, and from twice that even; infinity becomes NaN.
    large = where(a < 2 * fmt.integers, a - fmt.integers, a - a)
    a = where(a < fmt.integers, a, large)
    shifted = a + fmt.integers
    odd = bitcast(shifted, fmt.word) << (fmt.word.itemsize * 8 - 1)
    return a - (shifted - fmt.integers), odd


def _sine(r: Value) -> Value:
    """Return sin(pi r) for r in [-1/2, 1/2]."""
    z = r * r
    # 3 r - 4 r**3 is 1 at 1/2 and close to the result elsewhere, so that the correction and its rounding are small.
    return (r + r) + r * ((1.0 - 4.0 * z) + horner(z, _table(r).sine))


def _signed(value: Value, sign: Value) -> Value:
    """Negate the value where the word's sign bit is set; zeros become +0.0."""
    return bitcast(bitcast(value, sign.dtype) ^ sign, value.dtype) + 0.0


def _like(value: Value, x: Value) -> Value:
    """Negate the value where the sign bit of ``x`` is set."""
    fmt = format_of(x)
    return bitcast(bitcast(value, fmt.word) ^ (bitcast(x, fmt.word) & fmt.sign), x.dtype)


def sinpi(x: Value) -> Value:
    """Return sin(pi x); a zero with the sign of ``x`` at integers, NaN at infinities.

    Precision: 1.3 ULP (float32), 1.7 (float64).
    """
    r, odd = _reduce(x)
    return _like(_signed(_sine(r), odd), x)


def cospi(x: Value) -> Value:
    """Return cos(pi x); +0.0 halfway between integers, NaN at infinities.

    Precision: 1.6 ULP (float32), 1.7 (float64).
    """
    r, odd = _reduce(x)
    return _signed(_sine(0.5 - abs(r)), odd)


def tanpi(x: Value) -> Value:
    """Return tan(pi x); a zero with the sign of ``x`` at integers, NaN at infinities.

    Halfway between n and n + 1 it is inf for even n and -inf for odd n, as in IEEE 754.

    Precision: 1.7 ULP (float32), 1.6 (float64).
    """
    table = _table(x)
    r, _ = _reduce(x)
    z = r * r
    d = 0.5 - abs(r)
    # Numerator and denominator are each a sum of two numbers; the first division uses the leading ones.
    high = upper_half(r)
    first = high * table.pi[0]
    second = (r - high) * table.pi[0] + r * (table.pi[1] + z * horner(z, table.tangent))
    above = first + second
    above_low = (first - above) + second
    # 1/4 - z = d - d**2 does not cancel, and d is exact where the function is steep.
    square = d * d
    d_high = upper_half(d)
    square_low = (d_high * d_high - square) + (d - d_high) * (d + d_high)
    d_low = (0.5 - d) - abs(r)
    below = d - square
    below_low = ((d - below) - square) - square_low + d_low * (1.0 - (d + d))
    q = above / (4.0 * below)
    rest = (0.25 * above_low - q * below_low) / below
    return _like(q + where(below == 0.0, x.dtype.type(0), rest), x)


def tanpi_unchecked(x: Value) -> Value:
    """Return tan(pi x) for ``|x| < 1/2``; undefined for other arguments.

    Precision: 3.4 ULP.
    """
    table = _table(x)
    z = x * x
    d = 0.5 - abs(x)
    return x * (table.pi[0] + (table.pi[1] + z * horner(z, table.tangent))) / (4.0 * (d - d * d))


# The error functions


def _erf_centre(x: Value) -> Value:
    """Return erf(x) for ``|x| < 1/2``."""
    return x + x * horner(x * x, _table(x).erf)


def _erfc_tail(a: Value) -> Value:
    """Return erfc(a) for ``a >= 1/2``."""
    fmt, table = format_of(a), _table(a)
    a = where(a > table.erfc_end, table.erfc_end, a)
    z = a * a
    high = upper_half(a)
    lost = (high * high - z) + (a - high) * (a + high)
    # exp(-a**2) = v - bend, up to the rounding of v
    shifted, upper, lower = reduce_exp(fmt, -z)
    bend = exp_bend(fmt, upper, lower + lost)
    v = upper + 1.0
    v_low = (1.0 - v) + upper
    # exp(a**2) erfc(a) = n / d, up to their rounding
    part = horner((a - table.erfc_centre) / (a + table.erfc_centre), table.erfc)
    n = part + 1.0
    double = a + a
    d = double + 1.0
    q = n / d
    q_low = ((1.0 - n) + part) - q * (1.0 - (d - double)) - product_error(q, d, n)
    # The product of both, and the sum of all rounding errors; 0.83 approximates 1 / n within 1/15.
    product = q * v
    return scale_by(product + (product_error(q, v, product) + q * ((v_low - bend) + 0.83 * v * q_low)), shifted)


def erf(x: Value) -> Value:
    """Return the error function; ``x`` at zeros.

    Precision: 0.93 ULP (float32), 1.1 (float64).
    """
    a = abs(x)
    return where(a < 0.5, _erf_centre(x), _like(1.0 - _erfc_tail(a), x))


def erfc(x: Value) -> Value:
    """Return ``1 - erf(x)``, accurate in the far tail, down to subnormal results.

    Precision: 1.3 ULP (float32), 1.2 (float64).
    """
    tail = _erfc_tail(abs(x))
    return where(abs(x) < 0.5, 1.0 - _erf_centre(x), where(x < 0.0, 2.0 - tail, tail))


# The exponential as two factors


def exp_halves(x: Value) -> tuple[Value, Value]:
    """Return two factors of ``exp(x)``; a factor multiplied between them extends the range.

    The second is a power of two, and ``first * factor * second`` is ``exp(x) * factor`` if all products are normal
    numbers. ``x`` is clamped to [-170, 170] (float64: 1400).
    """
    fmt = format_of(x)
    end = 170.0 if fmt.mantissa == 23 else 1400.0
    x = where(x > end, end, x)
    x = where(x < -end, -end, x)
    shifted, high, low = reduce_exp(fmt, x)
    first, second = scales(shifted)
    return ((high - exp_bend(fmt, high, low)) + 1.0) * first, second


# The logarithm of gamma


def lgamma(x: Value) -> Value:
    """Return ``log(abs(gamma(x)))``; inf at zero, at negative integers and at both infinities.

    Precision for positive ``x``, including near the zeros at 1 and 2: 2.0 ULP (float32), 1.7 (float64). For negative
    ``x`` it is a difference: 2 ULP of the largest of the result, 1 and ``lgamma(1 - x)``.
    """
    table = _table(x)
    a = abs(x)
    log_high, log_low = log_parts(a)
    # lgamma(1 + a) below 3/4, lgamma(a) up to 5/2: u (u - 1) times a polynomial around 1/2
    small = a < 0.75
    u = where(small, a, a - 1.0)
    t = u - 1.0
    product = u * t
    rest = product_error(u, t, product) + u * (u - (t + 1.0))
    near = 0.5 * product + (product * horner((u - 0.5) / (u + 2.5), table.gamma) + 0.5 * rest)
    b = a - 0.5
    i = 1.0 / a
    slope = log_high - 1.0
    slope_low = log_low + ((log_high - slope) - 1.0)
    far = b * slope + ((i * horner(i * i, table.stirling) + b * slope_low) + 0.41893853320467274178)
    value = where(a < 2.5, near, far)
    positive = where(small, (value - log_low) - log_high, value)
    # log(pi / abs(x gamma(-x) sin(pi x))); for tiny a, sin(pi a) / pi is replaced by a, which it rounds to
    sine = where(a < 1e-10, a, abs(sinpi(a)) * 0.31830988618379067154)
    negative = where(sine == 0.0, _INF, -log(sine) - where(small, value, (value + log_low) + log_high))
    value = where(x < 0.0, negative, positive)
    return where(a < _INF, value, a)
