"""The Rayleigh distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.elementary import log_unchecked
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt, where
from keyrng.kernels.requirements import positive


@kernel(*FLOATS)
def _rayleigh(lane: Any, scale: Any) -> Any:
    u = uniform_co(lane)
    half = 2.0**-24 if lane.dtype == np.float32 else 2.0**-53
    return scale * sqrt(log_unchecked(where(u == 0.0, half, u)) * -2.0)


@sampler
def rayleigh(
    key: Key, scale: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return Rayleigh variates of scale ``scale``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    scale : float or array_like of floats
        Scale, positive and finite. Broadcasts to ``key.shape + shape``.
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
        Variates of shape ``key.shape + shape``, float32 by default, in [4.8e-4 * scale, 5.77 * scale] for float32 and
        narrower dtypes and in [2.1e-8 * scale, 8.58 * scale] for float64.

    Raises
    ------
    ValueError
        If ``scale`` is not positive and finite.

    See Also
    --------
    chisquare : The squares for ``scale = 1``, for 2 degrees of freedom.
    maxwell : The lengths of normal vectors in space.
    weibull_min : The generalization to other exponents.

    Notes
    -----
    The density is ``x / scale**2 * exp(-(x / scale)**2 / 2)`` for ``x >= 0``, that of the length of a normal vector in
    the plane. A variate is ``scale * sqrt(-2 * log(u))`` of a uniform u on [0, 1).

    Precision: float32 values are within 1.0 ULP of the formula for ``scale = 1``.

    The values are those of ``jax.random.rayleigh`` within rounding, except where u is 0: jax returns infinity, and here
    u is replaced by half of the smallest positive uniform.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.rayleigh(keyrng.key(0), 2.0, (3,))
    array([0.65575665, 0.41620055, 2.9688284 ], dtype=float32)
    """
    return sample_kernel(_rayleigh, key, shape, floating_dtype(dtype, out), positive(scale=scale), out=out)
