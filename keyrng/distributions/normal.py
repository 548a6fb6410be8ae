"""The normal distribution, real and complex."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import DTypeLike, inexact_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_complex_kernel, sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_signed
from keyrng.kernels.erfinv import erfinv_unchecked
from keyrng.kernels.lane import FLOATS, kernel

_SQRT2 = float(np.sqrt(2.0))


def complex_part(lane: Any) -> Any:
    """Return the real or imaginary part of a complex normal variate: a normal variate divided by sqrt(2)."""
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


@sampler
def normal(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Return standard normal variates, real or complex.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default), float64, complex64 or complex128.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates of shape ``key.shape + shape``, float32 by default. Real ones lie in [-5.42, 5.23] for float32 and
        narrower dtypes and in [-8.30, 8.17] for float64. For complex64 and complex128 the mean of ``abs(z)**2`` is 1.

    Raises
    ------
    TypeError
        If ``dtype`` is not a float or complex dtype, or an argument is of a wrong kind.

    See Also
    --------
    lognormal : Exponentials of normal variates.
    maxwell : Lengths of normal vectors in space.
    rayleigh : Lengths of normal vectors in the plane.
    multivariate_normal : Normal vectors with a mean and a covariance.
    truncated_normal : Normal variates between two bounds.
    keyrng.initializers.normal : Initial weights.

    Notes
    -----
    The density is ``exp(-x**2 / 2) / sqrt(2 * pi)``; for complex dtypes, ``exp(-abs(z)**2) / pi``. For another mean and
    standard deviation type ``mean + stddev * keyrng.normal(key, shape)``.

    A variate is ``sqrt(2) * erfinv(u)`` of a uniform u on (-1, 1), by the polynomials of Giles [1]_; in float64 between
    -2.88 and 2.88 by a polynomial for each of 16 intervals. Each part of a complex variate is ``erfinv(u)``, computed
    from a child of the key.

    Precision: the formula of Giles is that of jax; near both ends its relative error grows to 6e-6, and to 2e-10 in
    float64. Between -2.88 and 2.88, float64 variates are within 4 ULP of the exact ones. 0 never occurs in float32 and
    float64.

    The values are those of ``jax.random.normal`` within rounding: 4 ULP for float32, 64 for float64.

    References
    ----------
    .. [1] M. Giles, "Approximating the erfinv function", GPU Computing Gems, Jade Edition, 2012, 109-116.
       https://doi.org/10.1016/B978-0-12-385963-1.00010-1

    Examples
    --------
    >>> import keyrng
    >>> keyrng.normal(keyrng.key(0), (3,))
    array([ 1.6226422 ,  2.0252647 , -0.43359444], dtype=float32)
    >>> keyrng.normal(keyrng.key(0), (2,), "complex64")
    array([ 0.7099453-1.727077j , -0.6408772-1.4394436j], dtype=complex64)
    """
    dtype = inexact_dtype(dtype, out)
    if dtype.kind == "c":
        return sample_complex_kernel(normal_real_kernel, normal_imag_kernel, key, shape, dtype, out=out)
    return sample_kernel(normal_kernel, key, shape, dtype, out=out)
