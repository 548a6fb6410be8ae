"""The triangular distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng.dtypes import Dtype, DTypeLike, floating
from keyrng.kernels.bits import unit
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt, where
from keyrng.keys import Key
from keyrng.parameters import Array, ArrayLike, Parameter, finite, once_for_numbers, rounded
from keyrng.sampling import draw
from keyrng.shapes import Shape


@kernel(*FLOATS)
def _triangular(lane: Any, left: Any, mode: Any, right: Any) -> Any:
    u = unit(lane)
    width = right - left
    below = (mode - left) / width  # the probability of a value below the mode
    x = where(u < below, left + width * sqrt(u * below), right - width * sqrt((1.0 - u) * (1.0 - below)))
    # The width is rounded, so what is an end may come to lie beyond it.
    return where(x < left, left, where(x > right, right, x))


def triangular(
    key: Key,
    left: ArrayLike,
    mode: ArrayLike,
    right: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Triangular variates: a density that rises from ``left`` to ``mode`` and falls to ``right``, on straight lines.

    Parameters
    ----------
    key, shape, out
        As for `draw`: the result has shape ``key.shape + shape``.
    left, mode, right
        Finite numbers, or arrays of them that broadcast to the result; ``left <= mode <= right`` and ``left < right``
        when rounded to ``dtype``.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If they are not so ordered, if one is NaN or infinite, or if ``right - left`` is not finite.

    Notes
    -----
    The inverse of the distribution function at a uniform u on [0, 1). Both ends can occur. The values of
    ``jax.random.triangular`` within rounding, without the overflow of ``(right - left)**2``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.triangular(keyrng.key(0), 0.0, 1.0, 4.0, (3,))
    array([3.2075381, 3.4930074, 1.1693635], dtype=float32)
    """
    dtype = floating(dtype)
    return draw(_triangular, key, shape, dtype, *_corners(left, mode, right, dtype), out=out)


@once_for_numbers
def _corners(left: ArrayLike, mode: ArrayLike, right: ArrayLike, dtype: Dtype) -> tuple[Parameter, ...]:
    low, peak, high = (rounded(p, dtype) for p in (finite(left=left), finite(mode=mode), finite(right=right)))
    try:
        ordered = (low <= peak) & (peak <= high) & (low < high)
    except ValueError:
        raise ValueError(
            f"left of shape {low.shape}, mode of shape {peak.shape} and right of shape {high.shape} do not broadcast"
        ) from None
    if not np.all(ordered):
        raise ValueError(f"left <= mode <= right and left < right must hold, got {left}, {mode} and {right}")
    with np.errstate(over="ignore"):
        if not np.all(np.isfinite(high - low)):
            raise ValueError(f"right - left must be finite in {low.dtype}, got {left} and {right}")
    return Parameter("left", low), Parameter("mode", peak), Parameter("right", high)
