"""Symmetric distributions with heavier tails than the normal: Cauchy, Laplace, logistic."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_co, uniform_oo, uniform_signed
from keyrng.kernels.elementary import copysign, log1p_unchecked, log_unchecked
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.special import tanpi


@kernel(*FLOATS)
def _cauchy(lane: Any) -> Any:
    smallest = 2.0**-23 if lane.dtype == np.float32 else 2.0**-52
    u = uniform_co(lane) * (1.0 - smallest) + smallest
    return tanpi(u - 0.5)


def cauchy(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Standard Cauchy variates: density ``1 / (pi * (1 + x**2))``.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Notes
    -----
    ``tan(pi * (u - 1/2))`` of a uniform u on [2**-23, 1) for float32, on [2**-52, 1) for float64, to 2 ULP of u's
    tangent; values lie in [-2.7e6, 2.7e6] for float32 and bfloat16, in [-1.4e15, 1.4e15] for float64, and in float16
    one in 10**5 is infinite. The values of ``jax.random.cauchy`` within the rounding of its pi, which moves the largest
    by an eighth.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.cauchy(keyrng.key(0), (3,))
    array([ 6.0274916 , 14.837884  , -0.58172226], dtype=float32)
    """
    return sample_kernel(_cauchy, key, shape, floating_dtype(dtype, out), out=out)


@kernel(*FLOATS)
def _laplace(lane: Any) -> Any:
    u = uniform_signed(lane)
    return copysign(log1p_unchecked(-abs(u)), -u)


def laplace(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Standard Laplace variates: density ``exp(-abs(x)) / 2``.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Notes
    -----
    ``sign(u) * log(1 - abs(u))`` of a uniform u on (-1, 1), as accurate near 0 as in the tails; values lie in
    [-15.6, 16.7] for float32 (and narrower floats) and in [-35.7, 36.8] for float64, and 0 never occurs in these two.
    The values of ``jax.random.laplace`` within rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.laplace(keyrng.key(0), (3,))
    array([-2.2569816 , -3.1502788 ,  0.40859547], dtype=float32)
    """
    return sample_kernel(_laplace, key, shape, floating_dtype(dtype, out), out=out)


@kernel(*FLOATS)
def _logistic(lane: Any) -> Any:
    u = uniform_oo(lane)
    return log_unchecked(u) - log1p_unchecked(-u)


def logistic(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Standard logistic variates: density ``exp(-x) / (1 + exp(-x))**2``.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Notes
    -----
    ``log(u) - log(1 - u)`` of a uniform u on (0, 1); values lie in [-16.0, 16.0] for float32 (and narrower floats) and
    in [-36.1, 36.1] for float64. But for one: a u of 0 stands for the smallest normal number, as in jax, and gives
    -87.3 (float32, one value in 2**23) or -708.4 (float64). The values of ``jax.random.logistic`` within rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.logistic(keyrng.key(0), (3,))
    array([ 2.896376 ,  3.8217716, -0.6978392], dtype=float32)
    """
    return sample_kernel(_logistic, key, shape, floating_dtype(dtype, out), out=out)
