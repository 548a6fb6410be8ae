"""The Rayleigh distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, positive
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.elementary import log_unchecked
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt, where


@kernel(*FLOATS)
def _rayleigh(lane: Any, scale: Any) -> Any:
    u = uniform_co(lane)
    half = 2.0**-24 if lane.dtype == np.float32 else 2.0**-53
    return scale * sqrt(log_unchecked(where(u == 0.0, half, u)) * -2.0)


def rayleigh(
    key: Key, scale: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Rayleigh variates, lengths of normal points in the plane: density ``x / s**2 * exp(-(x / s)**2 / 2)``, x >= 0.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    scale
        The s of the density: positive finite numbers that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a scale is zero, negative, infinite or NaN.

    Notes
    -----
    ``s * sqrt(-2 * log(u))`` of a uniform u on [0, 1); values lie in [4.8e-4 s, 5.77 s] for float32 (and narrower
    floats), in [2.1e-8 s, 8.58 s] for float64. The values of ``jax.random.rayleigh`` within rounding, but where u is 0:
    that gives infinity in jax, and becomes half of the smallest u here.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.rayleigh(keyrng.key(0), 2.0, (3,))
    array([0.65575665, 0.41620055, 2.9688284 ], dtype=float32)
    """
    return sample_kernel(_rayleigh, key, shape, floating_dtype(dtype, out), positive(scale=scale), out=out)
