"""The Cauchy distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_co
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
