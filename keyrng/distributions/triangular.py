"""The triangular distribution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keyrng._core.arguments import short_repr
from keyrng._core.dtypes import Dtype, DTypeLike, floating_dtype
from keyrng._executors.device import Device
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import (
    Array,
    ArrayLike,
    cache_scalars,
    check_broadcast_together,
    check_relation,
    finite_span,
    round_to_dtype,
)
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt, where
from keyrng.kernels.requirements import Parameter, finite


@kernel(*FLOATS)
def _triangular(lane: Any, left: Any, mode: Any, right: Any) -> Any:
    u = uniform_co(lane)
    width = right - left
    below = (mode - left) / width  # the probability of a value below the mode
    x = where(u < below, left + width * sqrt(u * below), right - width * sqrt((1.0 - u) * (1.0 - below)))
    # The width is rounded, so a value can lie beyond an end.
    return where(x < left, left, where(x > right, right, x))


@kernel(*FLOATS)
def _triangular_order(lane: Any, left: Any, mode: Any, right: Any) -> Any:
    return _ordered(right, left, mode) & finite_span(right, left)


def _plans(dtype: DTypeLike, left: Any, mode: Any, right: Any) -> Iterable[Plan]:
    dtype = floating_dtype(dtype)
    if dtype.itemsize > 2:  # the ends are rounded to the dtype, and C rounds to that of the computation
        corners = Parameter("left", left), Parameter("mode", mode), Parameter("right", right)
        yield Plan(_triangular, corners, dtype, dtype, _triangular_order)  # which holds for finite corners only


@sampler_of(_plans)
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
    """Return triangular variates between ``left`` and ``right`` with mode ``mode``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    left, mode, right : float or array_like of floats
        Lower end, mode and upper end, finite, with ``left <= mode <= right`` and ``left < right`` when rounded to
        ``dtype``. They broadcast to ``key.shape + shape``.
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
        Variates in [left, right] of shape ``key.shape + shape``, float32 by default. Both ends can occur.

    Raises
    ------
    ValueError
        If the parameters are not in this order, one is NaN or infinite, or ``right - left`` is not finite.

    See Also
    --------
    beta : Another distribution on an interval.
    uniform : A constant density on an interval.

    Notes
    -----
    The density rises linearly from 0 at ``left`` to ``2 / (right - left)`` at ``mode``, and falls linearly to 0 at
    ``right``. A variate is the inverse of the distribution function at a uniform on [0, 1).

    Precision: float32 values are within 1.8 ULP of the formula for the parameters 0, 1, 4.

    The values are those of ``jax.random.triangular`` within rounding, without the overflow of ``(right - left)**2``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.triangular(keyrng.key(0), 0.0, 1.0, 4.0, (3,))
    array([3.2075381, 3.4930074, 1.1693635], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    return sample_kernel(_triangular, key, shape, dtype, *_corners(key, left, mode, right, dtype), out=out)


@cache_scalars
def _corners(device: Device, left: ArrayLike, mode: ArrayLike, right: ArrayLike, dtype: Dtype) -> tuple[Parameter, ...]:
    low, peak, high = (
        round_to_dtype(device, p, dtype) for p in (finite(left=left), finite(mode=mode), finite(right=right))
    )
    check_broadcast_together(left=low, mode=peak, right=high)

    def unordered() -> str:
        given = ", ".join(short_repr(value, str) for value in (left, mode))
        return f"left <= mode <= right and left < right must hold, got {given} and {short_repr(right, str)}"

    def too_wide() -> str:
        return f"right - left must be finite in {low.dtype}, got {short_repr(left, str)} and {short_repr(right, str)}"

    high = check_relation(device, _ordered, high, low, peak, error=unordered)
    high = check_relation(device, finite_span, high, low, error=too_wide)
    return Parameter("left", low), Parameter("mode", peak), Parameter("right", high)


def _ordered(right: Any, left: Any, mode: Any) -> Any:
    return (left <= mode) & (mode <= right) & (left < right)
