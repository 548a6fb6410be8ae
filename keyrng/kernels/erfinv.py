"""The inverse error function."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng.kernels.elementary import Coefficients, format_of, horner, log1p_unchecked
from keyrng.kernels.erfinv_table import LARGEST, PIECEWISE
from keyrng.kernels.lookup import lookup
from keyrng.kernels.ops import Value, bitcast, rarely, sqrt, where

__all__ = ["erfinv", "erfinv_unchecked"]

# M. Giles, "Approximating the erfinv function", GPU Computing Gems 2 (2010): polynomials in w = -log(1 - x**2) for the
# centre and the tail, highest order first. In float64 only arguments beyond the table of `erfinv_table` need them.
_POLYNOMIALS: dict[np.dtype[Any], tuple[Coefficients, ...]] = {
    np.dtype(np.float32): (
        (
            2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
            -0.00417768164, 0.246640727, 1.50140941,
        ),
        (
            -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
            0.00943887047, 1.00167406, 2.83297682,
        ),
    ),
    np.dtype(np.float64): (
        (
            -3.64441206401782e-21, -1.6850591381820166e-19, 1.28584807152564e-18, 1.1157877678025181e-17,
            -1.333171662854621e-16, 2.0972767875968562e-17, 6.637638134358324e-15, -4.054566272975207e-14,
            -8.151934197605472e-14, 2.6335093153082323e-12, -1.2975133253453532e-11, -5.415412054294628e-11,
            1.0512122733215323e-09, -4.112633980346984e-09, -2.9070369957882005e-08, 4.2347877827932404e-07,
            -1.3654692000834679e-06, -1.3882523362786469e-05, 0.00018673420803405714, -0.000740702534166267,
            -0.006033670871430149, 0.24015818242558962, 1.6536545626831027,
        ),
        (
            2.2137376921775787e-09, 9.075656193888539e-08, -2.7517406297064545e-07, 1.8239629214389228e-08,
            1.5027403968909828e-06, -4.013867526981546e-06, 2.9234449089955446e-06, 1.2475304481671779e-05,
            -4.7318229009055734e-05, 6.828485145957318e-05, 2.4031110387097894e-05, -0.0003550375203628475,
            0.0009532893797373805, -0.0016882755560235047, 0.002491442096107851, -0.003751208507569241,
            0.005370914553590064, 1.0052589676941592, 3.0838856104922208,
        ),
        (
            -2.7109920616438573e-11, -2.555641816996525e-10, 1.5076572693500548e-09, -3.789465440126737e-09,
            7.61570120807834e-09, -1.496002662714924e-08, 2.914795345090108e-08, -6.771199775845234e-08,
            2.2900482228026655e-07, -9.9298272942317e-07, 4.526062597223154e-06, -1.968177810553167e-05,
            7.599527703001776e-05, -0.00021503011930044477, -0.00013871931833623122, 1.0103004648645344,
            4.849906401408584,
        ),
    ),
}  # fmt: skip


def erfinv_unchecked(x: Value) -> Value:
    """Return the inverse error function for ``|x| < 1``; undefined for other arguments.

    Precision: as ``erfinv``.
    """
    # 0.3 % of uniform arguments are in the tail in float32, where it is too short to be worth collecting them.
    if format_of(x).word == np.uint32:
        w = -log1p_unchecked(x * -x)
        return x * rarely(w >= 5.0, horner(w - 2.5, _POLYNOMIALS[x.dtype][0]), _tail32, w)
    v = LARGEST - abs(x)
    return x * rarely(v < 2.0**-8, _centre64(v), _tail64, x, share=2.0**-8)


def _tail32(w: Value) -> Value:
    return horner(sqrt(w) - 3.0, _POLYNOMIALS[w.dtype][1])


def _centre64(v: Value) -> Value:
    word = bitcast(v, np.uint64)
    coefficients = lookup(PIECEWISE, (word >> 51) & 15)
    z = bitcast((word & (2**51 - 1)) | (1023 << 52), np.float64) - 1.25
    p = next(coefficients)
    for c in coefficients:
        p *= z  # in place, because arrays of temporaries would cost a third of the time
        p += c
    return p


def _tail64(x: Value) -> Value:
    w = -log1p_unchecked(x * -x)
    root, polynomials = sqrt(w), _POLYNOMIALS[x.dtype]
    tail = where(w < 16.0, horner(root - 3.25, polynomials[1]), horner(root - 5.0, polynomials[2]))
    return where(w < 6.25, horner(w - 3.125, polynomials[0]), tail)


def erfinv(x: Value) -> Value:
    """Return the inverse error function; infinite at -1 and 1, NaN outside, ``x`` at zeros.

    The formula is that of jax, so that normals agree: M. Giles, "Approximating the erfinv function" (2010). In float64,
    where ``abs(x) < 1 - 2**-8``, it is a polynomial of degree 14 for each of 16 intervals, without a logarithm.

    Precision: within 2 ULP of jax (float32, every argument above 2.4e-38; jax flushes smaller ones to zero) and 22
    (float64). Near -1 and 1 it has the relative error of ``1 - x * x``: up to 6e-6 (float32) or 2e-10 (float64). The
    polynomials of degree 14 are within 3 ULP of the exact value.
    """
    magnitude = abs(x)
    outside = where(magnitude == 1.0, x * float("inf"), x.dtype.type(float("nan")))
    return where(magnitude < 1.0, erfinv_unchecked(x), outside)
