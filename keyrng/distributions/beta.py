"""The beta distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, positive
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import comparable, gamma_parts
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where


@kernel(*FLOATS)
def _beta(lane: Any, a: Any, b: Any) -> Any:
    first, second = lane.split(2)
    a, b = comparable(a, b)
    factor_a, boost_a = gamma_parts(first, a)
    factor_b, boost_b = gamma_parts(second, b)
    # x / (x + y) by the quotient of the smaller and the larger, which is right where both underflow, or one overflows.
    shrink = exp(-abs(boost_a - boost_b))
    x = where(boost_a < boost_b, factor_a * shrink, factor_a)
    y = where(boost_b < boost_a, factor_b * shrink, factor_b)
    less = x < y
    quotient = where(less, x / y, y / x)
    return where(less, quotient, 1.0) / (1.0 + quotient)


def beta(
    key: Key,
    a: ArrayLike,
    b: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Beta variates in [0, 1]: density proportional to ``x**(a - 1) * (1 - x)**(b - 1)``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    a, b
        Positive finite numbers that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a parameter is zero, negative, infinite or NaN.

    Notes
    -----
    ``x / (x + y)`` of two gamma variates. Values closer to 0 or 1 than the dtype has numbers are 0 or 1, which is
    usual for small parameters; for the smallest all are, 1 with probability ``a / (a + b)``. Values differ from
    jax.random.beta, as those of `gamma`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.beta(keyrng.key(0), 2.0, 3.0, (3,))
    array([0.34472737, 0.6728817 , 0.05665111], dtype=float32)
    """
    return sample_kernel(_beta, key, shape, floating_dtype(dtype, out), positive(a=a), positive(b=b), out=out)
