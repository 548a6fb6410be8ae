"""The normal distribution, of real and of complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import DTypeLike, inexact_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_complex_kernel, sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_signed
from keyrng.kernels.erfinv import erfinv_unchecked
from keyrng.kernels.lane import FLOATS, kernel

_SQRT2 = float(np.sqrt(2.0))


def complex_part(lane: Any) -> Any:
    """The real or imaginary part of a complex normal: a normal divided by sqrt(2)."""
    return erfinv_unchecked(uniform_signed(lane))


@kernel(*FLOATS)
def normal_kernel(lane: Any) -> Any:
    """Return a standard normal variate."""
    return complex_part(lane) * _SQRT2


@kernel(*FLOATS)
def normal_real_kernel(lane: Any) -> Any:
    """Return the real part of a complex normal variate."""
    real, _ = lane.split(2)
    return complex_part(real)


@kernel(*FLOATS)
def normal_imag_kernel(lane: Any) -> Any:
    """Return the imaginary part of a complex normal variate."""
    _, imag = lane.split(2)
    return complex_part(imag)


def normal(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Standard normal variates: density ``exp(-x**2 / 2) / sqrt(2 * pi)``.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
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
    dtype = inexact_dtype(dtype, out)
    if dtype.kind == "c":
        return sample_complex_kernel(normal_real_kernel, normal_imag_kernel, key, shape, dtype, out=out)
    return sample_kernel(normal_kernel, key, shape, dtype, out=out)
