"""The two-sided Maxwell distribution."""

from __future__ import annotations

import math
from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape, broadcast_shape
from keyrng.distributions.maxwell import _maxwell
from keyrng.kernels.bits import random_sign
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import finite, non_negative


@kernel(*FLOATS)
def _double_sided_maxwell(lane: Any, loc: Any, scale: Any) -> Any:
    size, sign = lane.split(2)
    x = random_sign(sign, _maxwell(size))
    part = x * scale
    # x * scale can overflow where x * scale + loc does not, so compute with half of each.
    half = x * (scale * 0.5) + loc * 0.5
    return where(abs(part) < math.inf, part + loc, half + half)


@sampler
def double_sided_maxwell(
    key: Key,
    loc: ArrayLike,
    scale: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return Maxwell variates with a random sign, scaled and shifted.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    loc : float or array_like of floats
        Location, finite. Broadcasts with ``scale`` and ``shape``.
    scale : float or array_like of floats
        Scale, zero or more and finite. Broadcasts with ``loc`` and ``shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default, which is broadcast with the parameters.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates whose shape is ``key.shape`` followed by that to which ``shape`` and the parameters broadcast, float32
        by default.

    Raises
    ------
    ValueError
        If a parameter is outside its range or NaN.

    See Also
    --------
    maxwell : The variates without a sign.
    rademacher : Random signs.

    Notes
    -----
    With ``z = (x - loc) / scale``, the density is ``z**2 * exp(-z**2 / 2) / (scale * sqrt(2 * pi))``.

    For scalar parameters the values are those of ``jax.random.double_sided_maxwell`` within rounding. For arrays of
    parameters jax returns other shapes.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.double_sided_maxwell(keyrng.key(0), 1.0, 2.0, (3,))
    array([ 4.091442 ,  4.1482553, -3.165061 ], dtype=float32)
    """
    shape = broadcast_shape(key, shape, out, loc, scale)
    return sample_kernel(
        _double_sided_maxwell,
        key,
        shape,
        floating_dtype(dtype, out),
        finite(loc=loc),
        non_negative(scale=scale),
        out=out,
    )
