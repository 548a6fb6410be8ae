"""The uniform distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.arguments import short_repr
from keyrng._core.dtypes import Dtype, DTypeLike, floating_dtype
from keyrng._executors.device import Device
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import (
    Array,
    ArrayLike,
    Parameter,
    bounds,
    cache_scalars,
    check_relation,
    finite,
    finite_span,
    next_below,
)
from keyrng._sampling.shapes import Shape
from keyrng._sampling.spec import check_nothing
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where


@kernel(*FLOATS)
def _unit(lane: Any) -> Any:
    return uniform_co(lane)


@kernel(*FLOATS)
def _uniform(lane: Any, minval: Any, maxval: Any, largest: Any) -> Any:
    x = uniform_co(lane) * (maxval - minval) + minval
    # The sum may round up to maxval, which is outside: then the largest float before it.
    return where(x > largest, largest, x)


def uniform(
    key: Key,
    shape: Shape = (),
    dtype: DTypeLike = None,
    minval: ArrayLike = 0.0,
    maxval: ArrayLike = 1.0,
    *,
    out: Array | None = None,
) -> Array:
    """Floats from ``minval``, which can occur, to ``maxval``, which never does, with constant density.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dtype
        float16, bfloat16, float32 (the default) or float64.
    minval, maxval
        Finite numbers, or arrays of them that broadcast to the result; ``minval < maxval`` when rounded to ``dtype``.
        A result without elements may have ``minval == maxval``.

    Raises
    ------
    ValueError
        If not ``minval < maxval``, if one is NaN or infinite, or their difference is not finite.

    Notes
    -----
    On [0, 1): multiples of 2**-23 for float32, of 2**-52 for float64, all with the same probability; 16-bit floats are
    float32 samples rounded once, 1 excepted. On other intervals ``unit * (maxval - minval) + minval``, each operation
    rounded. The values of ``jax.random.uniform``, which fuses the last two operations and can return ``maxval``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.uniform(keyrng.key(0), (3,))
    array([0.947667  , 0.9785799 , 0.33229148], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    if minval is _ZERO and maxval is _ONE and dtype.itemsize >= 4:
        return sample_kernel(_unit, key, shape, dtype, out=out)
    parameters, empty = _interval(key, minval, maxval, dtype)
    if empty:
        check_nothing(empty, key, shape, out, parameters)
    return sample_kernel(_uniform, key, shape, dtype, *parameters, out=out)


# The default bounds are recognized as objects: the usual call makes no comparison and no array.
_ZERO, _ONE = uniform.__defaults__[2:4]  # type: ignore[index]


@cache_scalars
def _interval(here: Device, minval: ArrayLike, maxval: ArrayLike, dtype: Dtype) -> tuple[tuple[Parameter, ...], str]:
    """The parameters of the kernel, and an error if an interval is empty, of which nothing can be drawn."""
    low, high, empty = bounds(here, finite(minval=minval), finite(maxval=maxval), dtype)

    def error() -> str:
        values = f"{short_repr(minval, str)} and {short_repr(maxval, str)}"
        return f"maxval - minval must be finite in {low.dtype}, got {values}"

    high = check_relation(here, finite_span, high, low, error=error)
    return (Parameter("minval", low), Parameter("maxval", high), Parameter("maxval", next_below(high, dtype))), empty
