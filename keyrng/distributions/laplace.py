"""The Laplace distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_signed
from keyrng.kernels.elementary import copysign, log1p_unchecked
from keyrng.kernels.lane import FLOATS, kernel


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
