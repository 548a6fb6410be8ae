"""The exponential distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.elementary import log1p_unchecked
from keyrng.kernels.lane import FLOATS, kernel


@kernel(*FLOATS)
def exponential_kernel(lane: Any) -> Any:
    """Return an exponential variate."""
    return 0.0 - log1p_unchecked(-uniform_co(lane))  # the negative of 0 would be -0


def exponential(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Exponential variates of rate 1: density ``exp(-x)`` for ``x >= 0``.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Notes
    -----
    ``-log(1 - u)`` of a uniform u on [0, 1), with an error of at most 1 ULP: 0 can occur; the largest value is 15.95
    for float32 (and narrower floats), 36.05 for float64. The values of ``jax.random.exponential`` within rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.exponential(keyrng.key(0), (3,))
    array([2.950128  , 3.8434246 , 0.40390354], dtype=float32)
    """
    return sample_kernel(exponential_kernel, key, shape, floating_dtype(dtype, out), out=out)
