"""The logistic distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_oo
from keyrng.kernels.elementary import log1p_unchecked, log_unchecked
from keyrng.kernels.lane import FLOATS, kernel


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
    in [-36.1, 36.1] for float64. One value differs: a u of 0 becomes the smallest normal number, as in jax, and gives
    -87.3 (float32, one value in 2**23) or -708.4 (float64). The values of ``jax.random.logistic`` within rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.logistic(keyrng.key(0), (3,))
    array([ 2.896376 ,  3.8217716, -0.6978392], dtype=float32)
    """
    return sample_kernel(_logistic, key, shape, floating_dtype(dtype, out), out=out)
