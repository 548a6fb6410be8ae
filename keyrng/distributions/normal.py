"""The normal distribution, of real and of complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import DTypeLike, inexact
from keyrng._keys.derive import Key
from keyrng._sampling.draw import draw, draw_complex
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import signed_unit
from keyrng.kernels.erfinv import erfinv_unchecked
from keyrng.kernels.lane import FLOATS, kernel

_SQRT2 = float(np.sqrt(2.0))


def complex_part(lane: Any) -> Any:
    """The real or imaginary part of a complex normal: a normal divided by sqrt(2)."""
    return erfinv_unchecked(signed_unit(lane))


@kernel(*FLOATS)
def _normal(lane: Any) -> Any:
    return complex_part(lane) * _SQRT2


@kernel(*FLOATS)
def _normal_real(lane: Any) -> Any:
    real, _ = lane.split(2)
    return complex_part(real)


@kernel(*FLOATS)
def _normal_imag(lane: Any) -> Any:
    _, imag = lane.split(2)
    return complex_part(imag)


def normal(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Standard normal variates: density ``exp(-x**2 / 2) / sqrt(2 * pi)``.

    Parameters
    ----------
    key, shape, out
        As for `draw`: the result has shape ``key.shape + shape``.
    dtype
        float16, bfloat16, float32 (the default) or float64; complex64 or complex128 for complex numbers whose squares
        of absolute values have mean 1: density ``exp(-abs(z)**2) / pi``.

    Notes
    -----
    ``sqrt(2) * erfinv(u)`` of a uniform u on (-1, 1), by the polynomials of Giles, "Approximating the erfinv function",
    GPU Computing Gems 2, 2010. Values lie in [-5.42, 5.23] for float32 (and narrower floats) and in [-8.30, 8.21] for
    float64; 0 never occurs in these two. Either part of a complex number is ``erfinv(u)``, under a child of the key.
    The values of ``jax.random.normal`` within rounding: 4 ULP for float32.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.normal(keyrng.key(0), (3,))
    array([ 1.6226422 ,  2.0252647 , -0.43359444], dtype=float32)
    """
    dtype = inexact(dtype, out)
    if dtype.kind == "c":
        return draw_complex(_normal_real, _normal_imag, key, shape, dtype, out=out)
    return draw(_normal, key, shape, dtype, out=out)
