"""Points uniform in a ball of a p-norm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng._core.arguments import Int, check_sizes, short_repr
from keyrng._core.dtypes import DTypeLike, compute_dtype, floating_dtype
from keyrng._core.fpenv import without_warnings
from keyrng._keys.derive import Key, device_of, is_integer, split
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, checked_parameter
from keyrng._sampling.shapes import Shape, dimensions
from keyrng.distributions.exponential import exponential_kernel
from keyrng.distributions.loggamma import loggamma_kernel
from keyrng.kernels.bits import random_sign
from keyrng.kernels.elementary import exp, log, log1p
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import positive

# For a larger exponent the distribution equals, up to rounding, that of an infinite one: uniform on (-1, 1) or in a
# cube. For an exponent below the reciprocal all points of a ball of two or more dimensions are 0.
_MOST = 2.0**60


@kernel(*FLOATS)
def _exp(lane: Any, x: Any) -> Any:
    return exp(x)


def _coordinate(log_power: Any, total: Any, p: Any) -> Any:
    # The total is 0 if the exponential variate is 0 and the powers underflow; use half of the smallest exponential.
    half = 2.0**-24 if total.dtype == np.float32 else 2.0**-53
    return exp((log_power - log(where(total == 0.0, half, total))) / p)


@kernel(*FLOATS)
def _ball(lane: Any, log_power: Any, total: Any, p: Any) -> Any:
    return random_sign(lane, _coordinate(log_power, total, p))


@kernel(*FLOATS)
def _segment(lane: Any, log_power: Any, rest: Any, p: Any) -> Any:
    """The kernel for one dimension. For a small p, total and power agree in all but their last digits."""
    far = exp(log1p(rest * exp(-log_power)) / -p)
    return random_sign(lane, where(p < 0.0625, far, _coordinate(log_power, exp(log_power) + rest, p)))


@without_warnings
def ball(
    key: Key,
    d: Int,
    p: ArrayLike = 2,
    shape: Shape = (),
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return points uniform in the ``d``-dimensional unit ball of the p-norm.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    d : int
        Dimension, zero or more.
    p : float or array_like of floats, optional
        Exponent of the norm, positive and finite; 2 by default. Broadcasts to ``key.shape + shape``.
    shape
        Shape of the array of points, an int or a tuple of ints; one point by default.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Points along the last axis, of shape ``key.shape + shape + (d,)``, float32 by default.

    Raises
    ------
    ValueError
        If ``p`` is not positive and finite, or ``d`` is negative.

    See Also
    --------
    dirichlet : Points of a simplex.
    generalized_normal : The variates that are divided by their p-norm.
    orthogonal : Orthonormal matrices, whose columns are uniform on a sphere.

    Notes
    -----
    The density is constant where ``sum(abs(x)**p) <= 1``. A point is a vector of generalized normal variates, divided
    by the p-norm of these variates and an exponential variate [1]_.

    Precision: the p-norm can exceed 1 by rounding.

    The values differ from those of ``jax.random.ball``, as those of `gamma` do.

    References
    ----------
    .. [1] F. Barthe, O. Guédon, S. Mendelson, A. Naor, "A probabilistic approach to the geometry of the l_p^n-ball",
       Annals of Probability 33 (2005), 480-513. https://doi.org/10.1214/009117904000000874

    Examples
    --------
    >>> import keyrng
    >>> keyrng.ball(keyrng.key(0), 3)
    array([ 0.45289382,  0.5137566 , -0.12586324], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    compute = compute_dtype(dtype)
    device = device_of(key)
    exponent = checked_parameter(device, positive(p=p), compute).value
    exponent = exponent[..., None] if exponent.ndim else exponent
    if not is_integer(d):
        raise TypeError(f"d must be an int (the dimension), got {short_repr(d)}")
    if d < 0:
        raise ValueError(f"d must not be negative, got {short_repr(d)}")
    check_sizes("d", (int(d),))
    points = dimensions(shape)
    rows = (*points, int(d))
    parts = split(key, 3)
    sizes, signs, rest = parts[..., 0], parts[..., 1], parts[..., 2]
    exponent = device.later(_bounded, exponent)
    log_power = sample_kernel(loggamma_kernel, sizes, rows, compute, positive(p=device.later(_inverse, exponent)))
    last = sample_kernel(exponential_kernel, rest, points, compute)
    if d == 1:
        return sample_kernel(_segment, signs, rows, dtype, log_power, last[..., None], exponent, out=out)
    total = device.apply(_sum, device.row_sum(sample_kernel(_exp, sizes, rows, compute, log_power)), last)
    return sample_kernel(_ball, signs, rows, dtype, log_power, total[..., None], exponent, out=out)


def _bounded(p: Any) -> Any:
    bounded = where(p > _MOST, _MOST, where(p < 1.0 / _MOST, 1.0 / _MOST, p))
    return where((p > 0.0) & (p < math.inf), bounded, p)  # on a GPU p is unchecked: an invalid value must stay invalid


def _inverse(x: Any) -> Any:
    return 1.0 / x


def _sum(x: Any, y: Any) -> Any:
    return x + y
