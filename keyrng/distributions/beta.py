"""The beta distribution."""

from __future__ import annotations

import math
from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import comparable, gamma_parts, large_gamma
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import positive


@kernel(*FLOATS)
def _beta_large(lane: Any, a: Any, b: Any) -> Any:
    first, second = lane.split(2)
    return _share(large_gamma(first, a), large_gamma(second, b))


@kernel(*FLOATS, usual=(_beta_large, 1.0, math.inf))
def _beta(lane: Any, a: Any, b: Any) -> Any:
    first, second = lane.split(2)
    a, b = comparable(a, b)
    factor_a, boost_a = gamma_parts(first, a)
    factor_b, boost_b = gamma_parts(second, b)
    shrink = exp(-abs(boost_a - boost_b))
    x = where(boost_a < boost_b, factor_a * shrink, factor_a)
    y = where(boost_b < boost_a, factor_b * shrink, factor_b)
    return _share(x, y)


def _share(x: Any, y: Any) -> Any:
    """Return x / (x + y)."""
    # From the quotient of the smaller and the larger: correct if both underflow or one overflows.
    less = x < y
    quotient = where(less, x, y) / where(less, y, x)
    return where(less, quotient, 1.0) / (1.0 + quotient)


@sampler
def beta(
    key: Key,
    a: ArrayLike,
    b: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return beta variates of parameters ``a`` and ``b``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    a, b : float or array_like of floats
        Parameters of the distribution, positive and finite. They broadcast to ``key.shape + shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; by default the shape that the parameters broadcast to.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates in [0, 1] of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    ValueError
        If a parameter is not positive and finite.

    See Also
    --------
    dirichlet : The generalization to more than two shares.
    gamma : The variates that a beta variate is a ratio of.
    power : Beta variates with ``b = 1``, without rejection.

    Notes
    -----
    The density is ``x**(a - 1) * (1 - x)**(b - 1) * gamma(a + b) / (gamma(a) * gamma(b))``. A variate is
    ``x / (x + y)`` of two gamma variates.

    Precision: a value is rounded to 0 or 1 where the dtype has no number between, which is usual for small parameters.
    For the smallest parameters all values are 0 or 1, and 1 has probability ``a / (a + b)``.

    The values differ from those of ``jax.random.beta``, as those of `gamma` do.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.beta(keyrng.key(0), 2.0, 3.0, (3,))
    array([0.34472737, 0.6728817 , 0.05665111], dtype=float32)
    """
    return sample_kernel(_beta, key, shape, floating_dtype(dtype, out), positive(a=a), positive(b=b), out=out)
